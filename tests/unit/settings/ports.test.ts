import assert from "node:assert/strict";
import { test } from "node:test";
import { assertOneFault, faultsIn, LEAST, read, refusal, testRefused } from "../../support/settings.ts";

testRefused(["ports.https", [0, 65536, 1.5, -1, "http", "80 ", true], "a whole number from 1 to 65535"]);

for (const [ports, key, got, wanted, fix] of [
    [
        { https: 8443, federation: 8443 },
        "ports.federation",
        "8443",
        "a port of its own, and not that of ports.https",
        "pulumi config set --path synapse:ports.federation <value>",
    ],
    [
        { https: 80 },
        "ports.https",
        "80",
        "a port of its own, and not that of ports.http, which is the same when it is left out",
        /ports\.http <value>, or another ports\.https$/,
    ],
] as const) {
    test(`${key} ${got} beside ${JSON.stringify(ports)} is refused`, () => {
        assertOneFault({ ...LEAST, ports }, key, { got, wanted, fix });
    });
}

test("Synapse's own port can be left unpublished, but where there is no other", () => {
    assert.equal(read({ ...LEAST, ports: { synapse: "off" } }).ports.synapse, "off");
    const none = refusal({ ...LEAST, tls: { mode: "none" }, ports: { synapse: "off" } });
    assert.match(faultsIn(none)["ports.synapse"]?.wanted ?? "", /there is no other/);
    assert.match(refusal({ ...LEAST, ports: { synapse: "none" } }), /65535, or off/);
    assert.match(refusal({ ...LEAST, ports: { https: "off" } }), /synapse:ports\.https/);
});

test("8448 is free for another use where federation has no port of its own", () => {
    const ports = { https: 8448 };
    assert.match(refusal({ ...LEAST, ports }), /synapse:ports\.https/);
    assert.equal(read({ ...LEAST, ports, federation: { port: 443 } }).ports.https, 8448);
    assert.equal(read({ ...LEAST, ports, federation: { enabled: false } }).ports.https, 8448);
});

test("a throw-away stack leaves the ports it is not given to Docker", () => {
    const { ports } = read({ ...LEAST, ephemeral: true, ports: { https: 8443 } });
    assert.deepEqual(ports, { http: undefined, https: 8443, federation: undefined, synapse: undefined });
});

test("ports may be given as text, as editors quote them", () => {
    assert.equal(read({ ...LEAST, ports: { https: "8443" } }).ports.https, 8443);
});

test("a standard port is free where nobody publishes its use, or Docker picks", () => {
    const none = { serverName: "localhost", tls: { mode: "none" } };
    assert.equal(read({ ...none, ports: { synapse: 80 } }).ports.synapse, 80);
    const federation = { ...LEAST, tls: { mode: "synapse" }, ports: { federation: 443 } };
    assert.equal(read(federation).ports.federation, 443);
    assert.equal(read({ ...LEAST, ephemeral: true, ports: { https: 80 } }).ports.https, 80);
    const swapped = { http: 443, https: 80 };
    assert.deepEqual(read({ ...LEAST, ports: swapped }).ports, {
        ...swapped,
        federation: 8448,
        synapse: 8008,
    });
});

test("a secret port is not repeated when another has it too", () => {
    const options = { secret: ["ports"] };
    assert.doesNotMatch(refusal({ ...LEAST, ports: { https: 4711, http: 4711 } }, options), /4711/);
    assert.doesNotMatch(refusal({ ...LEAST, ports: { https: 8448 } }, options), /8448/);
});
