import assert from "node:assert/strict";
import { test } from "node:test";
import { assertOneFault, LEAST, read } from "../../support/settings.ts";

for (const [config, key, wanted, fix] of [
    [
        {
            serverName: "localhost",
            tls: { mode: "none" },
            listenAddresses: { synapse: ["127.0.0.1", "0.0.0.0"] },
        },
        "listenAddresses.synapse[1]",
        /^a loopback address: tls\.mode none encrypts nothing/,
        /tls\.mode proxy for a proxy of your own/,
    ],
    [
        { serverName: "localhost", publicHost: "matrix.example.org", tls: { mode: "none" } },
        "publicHost",
        /^a name for this machine alone/,
        /publicHost localhost; or tls\.mode proxy/,
    ],
    [{ ...LEAST, tls: { mode: "none" } }, "serverName", /^a name for this machine alone/, /tls\.mode proxy/],
] as const) {
    test(`${key} is refused with who stands before the server: ${wanted.source}`, () => {
        assertOneFault(config, key, { wanted, fix });
    });
}

test("a first look may have a server name of the internet's, and names that it does not know", () => {
    const tls = { mode: "none" };
    assert.equal(read({ ...LEAST, publicHost: "localhost", tls }).serverName, "example.org");
    for (const serverName of ["localhost", "matrix.test", "matrix.localhost", "192.168.1.5", "[::1]"])
        assert.equal(read({ serverName, tls }).publicHost, serverName);
});
