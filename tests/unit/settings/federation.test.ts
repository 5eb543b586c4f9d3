import { test } from "node:test";
import { assertOneFault, LEAST } from "../../support/settings.ts";

const LOCAL = { ...LEAST, tls: { mode: "local-ca" } };
for (const [config, key, wanted, fix] of [
    [
        { ...LOCAL, federation: { port: 8449 } },
        "federation.port",
        /^443 or 8448$/,
        /federation\.port <value>/,
    ],
    [
        { ...LOCAL, federation: { allowList: ["Not A Name"] } },
        "federation.allowList[0]",
        /server names/,
        /allowList/,
    ],
    [
        { ...LOCAL, federation: { allowList: [] } },
        "federation.allowList",
        /federation\.enabled false/,
        /allowList/,
    ],
    [
        { ...LOCAL, federation: { enabled: false, allowList: ["a.org"] } },
        "federation.allowList",
        /^nothing: federation\.enabled is false$/,
        /^pulumi config rm --path synapse:federation\.allowList$/,
    ],
    [
        { ...LOCAL, federation: { port: 443 }, ports: { federation: 9448 } },
        "ports.federation",
        /^nothing: federation\.port is 443, which is ports\.https$/,
        /config rm/,
    ],
    [
        { ...LEAST, federation: { port: 443 }, tls: { mode: "synapse" } },
        "federation.port",
        /^8448: in tls\.mode synapse /,
        /ports\.federation 443$/,
    ],
] as const) {
    test(`${key} is refused where it would be wrong or without effect: ${wanted.source}`, () => {
        assertOneFault(config, key, { wanted, fix });
    });
}
