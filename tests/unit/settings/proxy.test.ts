import assert from "node:assert/strict";
import { test } from "node:test";
import { assertOneFault, LEAST, read } from "../../support/settings.ts";

const PUBLIC_URL = "https://matrix.example.org";
const behind = (tls: object, more: object = {}) => ({
    ...LEAST,
    ...more,
    tls: { mode: "proxy", publicUrl: PUBLIC_URL, ...tls },
});
const OPEN = { listenAddresses: { public: ["127.0.0.1", "10.0.0.2"] } };

for (const publicUrl of [
    "http://matrix.example.org",
    "https://matrix.example.org/chat",
    "https://matrix.example.org?x",
    "https://user@matrix.example.org",
    "https://Matrix.example.org",
    "https://matrix.example.org:0",
    "https://matrix.example.org:65536",
    "https://[::1",
    "https://",
    "matrix.example.org",
    8443,
]) {
    test(`tls.publicUrl ${publicUrl} is refused`, () => {
        const wanted = /^an https URL without a path, e\.g\. https:/;
        assertOneFault(behind({ publicUrl }), "tls.publicUrl", { wanted });
    });
}

for (const proxy of [
    "localhost",
    "10.0.0",
    "10.0.0.0/0",
    "::/0",
    "10.0.0.0/33",
    "fd00::/129",
    "fe80::1%eth0",
    "all",
    5,
]) {
    test(`tls.trustedProxies with ${proxy} is refused`, () => {
        const trustedProxies = ["10.0.0.5", proxy];
        assertOneFault(behind({ trustedProxies }), "tls.trustedProxies[1]", {
            wanted: /addresses and networks/,
        });
    });
}

for (const [config, key, wanted, fix] of [
    [behind({ publicUrl: undefined }), "tls.publicUrl", /^an https URL/, /tls\.publicUrl <value>$/],
    [behind({ trustedProxies: [] }), "tls.trustedProxies", /addresses and networks/, /trustedProxies/],
    [
        behind({}, { publicHost: "example.org" }),
        "publicHost",
        /^nothing, or matrix\.example\.org as in tls\.publicUrl$/,
        /^pulumi config rm synapse:publicHost, or another tls\.publicUrl$/,
    ],
    [
        behind({}, { ports: { https: 443 } }),
        "ports.https",
        /^nothing: .*ports\.http is the only/,
        /config rm/,
    ],
    [behind({}, { ports: { federation: 8448 } }), "ports.federation", /^nothing: /, /config rm/],
    [
        behind({}, { federation: { port: 8448 } }),
        "federation.port",
        /^nothing: other servers come by the port of tls\.publicUrl, 443$/,
        /^pulumi config rm --path synapse:federation\.port$/,
    ],
    [
        behind({}, OPEN),
        "tls.trustedProxies",
        /^the addresses of your proxy: others reach 10\.0\.0\.2 too/,
        /or publish on 127\.0\.0\.1 alone$/,
    ],
    [
        behind({}, { ports: { synapse: 8080 } }),
        "ports.synapse",
        /not that of ports\.http, which is the same when it is left out$/,
        /ports\.http <value>/,
    ],
] as const) {
    test(`${key} is refused with who stands before the server: ${wanted.source}`, () => {
        assertOneFault(config, key, { wanted, fix });
    });
}

test("for a proxy on the Docker host nothing but its URL must be set", () => {
    const { listenAddresses, ports, publicHost } = read(behind({}));
    assert.deepEqual(listenAddresses, { public: ["127.0.0.1"], synapse: ["127.0.0.1"] });
    assert.equal(ports.http, 8080);
    assert.equal(publicHost, "matrix.example.org");
    assert.equal(read(behind({}, { publicHost: "matrix.example.org" })).publicHost, publicHost);
    const elsewhere = behind({ trustedProxies: ["10.0.0.1"] }, { ...OPEN, ports: { synapse: 443 } });
    assert.equal(read(elsewhere).ports.synapse, 443, "no port of this stack's");
});

test("the port of the clients may be said to be that of federation, which it is", () => {
    assert.ok(read(behind({}, { federation: { port: 443 } })));
    const publicUrl = `${PUBLIC_URL}:8448`;
    assert.ok(read(behind({ publicUrl }, { federation: { port: 8448 } })));
});
