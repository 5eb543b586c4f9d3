import assert from "node:assert/strict";
import { after, test } from "node:test";
import { keyDocument } from "../../support/fake-server.ts";
import { HOST, Verdicts } from "../../support/verdicts.ts";

const verdicts = new Verdicts();
after(() => verdicts.ca.remove());

test("a server that answers everywhere is found to work, with each thing that was seen", async () => {
    const { failures, holds, servers } = await verdicts.of({ addresses: { "127.0.0.1": {}, "::1": {} } });
    assert.deepEqual(failures, []);
    assert.equal(holds.length, 2 * 6, holds.join("\n"));
    for (const { names } of servers) assert.deepEqual([...new Set(names)], [HOST]);
});

test("an address that does not answer fails, although another one does", async () => {
    const { failures } = await verdicts.of({ addresses: { "127.0.0.1": {}, "::1": undefined } });
    assert.equal(failures.length, 1);
    assert.match(
        failures[0] ?? "",
        /^the client API at \[::1\]:PORT does not work\.\n.*ECONNREFUSED ::1:PORT/,
    );
});

test("every address that does not work is named", async () => {
    const { failures } = await verdicts.of({ addresses: { "127.0.0.1": undefined, "::1": undefined } });
    assert.equal(failures.length, 2);
});

for (const [what, path, answer, reason] of [
    ["no client API", "/_matrix/client/versions", 502, /^the client API at \[::1\].*\n.*wanted 200, got 502/],
    ["no federation", "/_matrix/federation/v1/version", 404, /^the federation API at \[::1\]/],
    [
        "another server's key",
        "/_matrix/key/v2/server",
        keyDocument("example.org", "other"),
        /^the server's identity at \[::1\].*\n.*wanted example\.org with the recorded key ed25519:a_Test/,
    ],
    ["another server's name", "/_matrix/key/v2/server", keyDocument("a.org"), /^the server's identity at /],
    [
        "another server's delegation",
        "/.well-known/matrix/server",
        '{"m.server":"elsewhere.org:443"}',
        /^\.well-known at \[::1\].*\n.*wanted \{"m\.server":"matrix\.example\.org:8448"\}, got .*elsewhere/,
    ],
    [
        "no URL for clients",
        "/.well-known/matrix/client",
        "{}",
        /^\.well-known at \[::1\].*\n.*wanted .*https:\/\/matrix\.example\.org"\}\}, got \{\}/,
    ],
    [
        "an open admin API",
        "/_synapse/admin/v1/server_version",
        "{}",
        /^the closed admin API at \[::1\].*\n.*wanted 404 or 400, got 200/,
    ],
] as const) {
    test(`${what} at the second address fails`, async () => {
        const { failures } = await verdicts.of({ addresses: { "127.0.0.1": {}, "::1": { [path]: answer } } });
        assert.equal(failures.length, 1, failures.join());
        assert.match(failures[0] ?? "", reason);
    });
}

test("a server without federation works when nobody answers other servers, and fails when somebody does", async () => {
    const closed = {
        "/_matrix/federation/v1/version": 404,
        "/_matrix/key/v2/server": 404,
        "/.well-known/matrix/server": 404,
    };
    const expected = { federationAddress: undefined };
    for (const serves of [["clients"], ["operator"]] as const) {
        const { failures, holds } = await verdicts.of({ addresses: { "::1": closed }, serves, expected });
        assert.deepEqual(failures, []);
        assert.ok(
            holds.some((line) => /^the closed federation API at .*: 404$/.test(line)),
            holds.join(),
        );
    }
    for (const path of Object.keys(closed)) {
        const open = { ...closed, [path]: "{}" };
        const { failures } = await verdicts.of({ addresses: { "::1": open }, serves: ["clients"], expected });
        assert.match(failures.join(), /wanted 404, got 200/, path);
    }
});

test("what the settings add to .well-known must be served", async () => {
    const wellKnown = {
        client: { "m.identity_server": { base_url: "https://id.example.org" } },
        server: {},
        support: { support_page: "https://example.org/help" },
    };
    const { failures } = await verdicts.of({ addresses: { "::1": {} }, expected: { wellKnown } });
    assert.match(failures.join(), /GET \/\.well-known\/matrix\/client: wanted .*m\.identity_server/);
    const served = {
        "/.well-known/matrix/client": JSON.stringify({
            "m.homeserver": { base_url: `https://${HOST}` },
            ...wellKnown.client,
        }),
        "/.well-known/matrix/support": JSON.stringify(wellKnown.support),
    };
    assert.deepEqual(
        (await verdicts.of({ addresses: { "::1": served }, expected: { wellKnown } })).failures,
        [],
    );
    const lacking = { ...served, "/.well-known/matrix/support": 404 };
    assert.equal(
        (await verdicts.of({ addresses: { "::1": lacking }, expected: { wellKnown } })).failures.length,
        1,
    );
});

test("a redirect must lead to HTTPS, at every address", async () => {
    const serves = ["redirect"] as const;
    assert.deepEqual((await verdicts.of({ addresses: { "::1": { "/": 301 } }, serves })).failures, []);
    const { failures } = await verdicts.of({ addresses: { "127.0.0.1": { "/": 301 }, "::1": {} }, serves });
    assert.match(failures.join(), /^the redirect to HTTPS at \[::1\].*\n.*wanted 301, got 404/);
});
