import { test } from "node:test";
import { assertOneFault, LEAST } from "../../support/settings.ts";

const LOCAL = { ...LEAST, tls: { mode: "local-ca" } };
for (const [config, key, wanted, fix] of [
    [
        { ...LOCAL, federation: { enabled: false }, wellKnown: { server: { a: 1 } } },
        "wellKnown.server",
        /^nothing: federation\.enabled is false$/,
        /config rm/,
    ],
    [
        { ...LOCAL, wellKnown: { client: { "m.homeserver": {} } } },
        "wellKnown.client.m.homeserver",
        /^nothing: the program sets it itself$/,
        /^set synapse:publicHost/,
    ],
    [
        { ...LOCAL, wellKnown: { server: { "m.server": "a" } } },
        "wellKnown.server.m.server",
        /^nothing/,
        /synapse:federation\.port$/,
    ],
    [
        { ...LOCAL, wellKnown: { support: {} } },
        "wellKnown.support",
        /`contacts` or `support_page`/,
        /support/,
    ],
    [
        { ...LOCAL, wellKnown: { client: { a: "x".repeat(3001) } } },
        "wellKnown.client",
        /^at most 3000 /,
        /client/,
    ],
    // Three bytes each, and seven for an apostrophe.
    ...["字".repeat(1000), "'".repeat(430)].map(
        (a) =>
            [
                { ...LOCAL, wellKnown: { client: { a } } },
                "wellKnown.client",
                /^at most 3000 /,
                /client/,
            ] as const,
    ),
    [
        { serverName: "localhost", tls: { mode: "none" }, wellKnown: { support: { contacts: [] } } },
        "wellKnown.support",
        /^nothing: in tls\.mode none nobody serves it$/,
        /or a tls\.mode with nginx$/,
    ],
] as const) {
    test(`${key} is refused where it would be wrong or without effect: ${wanted.source}`, () => {
        assertOneFault(config, key, { wanted, fix });
    });
}
