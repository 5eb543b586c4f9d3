import assert from "node:assert/strict";
import { test } from "node:test";
import { topology } from "../../../components/homeserver/topology.ts";
import { BY_DNS, read, refusal, sourceOf } from "../../support/acme-settings.ts";

test("ACME needs the mode alone", () => {
    const settings = read({ email: undefined });
    assert.deepEqual(settings.tls, {
        mode: "acme",
        server: "https://acme-v02.api.letsencrypt.org/directory",
        names: [],
        keyType: "ecdsa",
        challenge: { type: "http-01" },
        expiryWarningDays: 21,
        profile: "intermediate",
        http3: false,
    });
    assert.equal(topology(settings).front, "proxy");
    assert.deepEqual(Object.keys(topology(settings).images), ["synapse", "nginx", "certbot", "postgres"]);
});

for (const [server, url] of [
    ["production", "https://acme-v02.api.letsencrypt.org/directory"],
    ["staging", "https://acme-staging-v02.api.letsencrypt.org/directory"],
    ["https://ca.example.org:9000/acme/acme/directory", "https://ca.example.org:9000/acme/acme/directory"],
] as const) {
    test(`the ACME server ${server} is ${url}`, () => {
        assert.equal(sourceOf({ server }).server, url);
    });
}

test("each DNS plugin has an image of its own, unless one is set", () => {
    assert.equal(read({}).images.certbot, "certbot/certbot:v5.6.0");
    assert.equal(read({ challenge: BY_DNS }).images.certbot, "certbot/dns-cloudflare:v5.6.0");
    const images = JSON.stringify({ certbot: "registry.example.org/certbot:1" });
    assert.equal(read({ challenge: BY_DNS }, { images }).images.certbot, "registry.example.org/certbot:1");
});

for (const [what, tls, key, wanted] of [
    ["an e-mail address without a domain", { email: "admin" }, "tls.email", "an e-mail address"],
    ["a server over plain HTTP", { server: "http://ca.example.org" }, "tls.server", "production, staging or"],
    ["a server that is a word", { server: "letsencrypt" }, "tls.server", "production, staging or"],
    ["a CA that is a path", { caBundle: "/etc/ca.pem" }, "tls.caBundle", "certificates in PEM"],
    [
        "an address among the names, by the DNS",
        { names: ["a.example.org", "192.0.2.1"], challenge: BY_DNS },
        "tls.names[1]",
        "a DNS name, or tls.challenge.type http-01",
    ],
    [
        "a wildcard before an address",
        { names: ["*.192.0.2.1"], challenge: BY_DNS },
        "tls.names[0]",
        "a DNS name",
    ],
    [
        "a profile that is an option",
        { certificateProfile: "--x" },
        "tls.certificateProfile",
        "e.g. tlsserver",
    ],
    ["a name without a dot", { names: ["localhost"] }, "tls.names[0]", "a DNS name"],
    ["a wildcard further inside", { names: ["a.*.example.org"] }, "tls.names[0]", "a DNS name"],
    ["a wildcard by HTTP", { names: ["*.example.org"] }, "tls.names[0]", "a name without *, or"],
    ["an unknown kind of key", { keyType: "dsa" }, "tls.keyType", ""],
    [
        "an unknown challenge",
        { challenge: { type: "tls-alpn-01" } },
        "tls.challenge.type",
        "http-01 or dns-01",
    ],
    [
        "a plugin with its prefix and a path",
        { challenge: { ...BY_DNS, plugin: "../x" } },
        "tls.challenge.plugin",
        "without dns-",
    ],
    [
        "no credentials",
        { challenge: { ...BY_DNS, credentials: undefined } },
        "tls.challenge.credentials",
        "the text of",
    ],
    [
        "an external account's key in base64",
        { externalAccount: { keyId: "a", hmacKey: "a+b/" } },
        "tls.externalAccount.hmacKey",
        "base64url",
    ],
    ["a warning far too early", { expiryWarningDays: 90 }, "tls.expiryWarningDays", "from 1 to 60"],
] as const) {
    test(`${what} is refused`, () => {
        const message = refusal(tls);
        assert.match(message, /^1 setting is wrong; nothing was touched\./);
        assert.ok(message.includes(`\n  synapse:${key}\n`), message);
        assert.ok(message.includes(wanted), message);
    });
}

test("a wildcard by the DNS is fine", () => {
    assert.deepEqual(sourceOf({ names: ["*.example.org"], challenge: BY_DNS }).names, ["*.example.org"]);
});

test("a server that no public CA certifies is refused, with the setting that names it", () => {
    for (const [tls, others, key] of [
        [{}, { serverName: "localhost" }, "serverName"],
        [{}, { publicHost: "matrix" }, "publicHost"],
        [{ challenge: BY_DNS }, { serverName: "192.0.2.1" }, "serverName"],
        [{ challenge: BY_DNS }, { publicHost: "[2001:db8::1]" }, "publicHost"],
    ] as const) {
        assert.ok(refusal(tls, others).includes(`\n  synapse:${key}\n`));
    }
});

test("no fault repeats a credential, wherever it stands", () => {
    for (const tls of [
        { mode: "acmee", challenge: BY_DNS },
        { challenge: { ...BY_DNS, type: "dns-02" } },
        { challenge: { ...BY_DNS, credentials: ["Hunter2"] } },
        { challenge: { ...BY_DNS, plugin: "Cloud Flare" } },
        { externalAccount: { keyId: "a", hmacKey: "Hunter2!" } },
        { externalAccount: { keyId: "a b", hmacKey: "Hunter2" } },
        { externalAccount: [{ hmacKey: "Hunter2" }] },
        { challenge: { type: "http-01", credentials: "Hunter2" } },
    ]) {
        assert.doesNotMatch(refusal(tls), /Hunter2/);
        // Set without --secret: the program must know by itself what not to show.
        assert.doesNotMatch(refusal(tls, {}, []), /Hunter2/);
    }
});

test("credentials and an account's key that anybody can read in the stack's file are refused, with the command that mends it", () => {
    for (const [tls, key] of [
        [{ challenge: BY_DNS }, "tls.challenge.credentials"],
        [{ externalAccount: { keyId: "a", hmacKey: "Hunter2" } }, "tls.externalAccount.hmacKey"],
    ] as const) {
        assert.equal(read(tls).tls.mode, "acme");
        const message = refusal(tls, {}, []);
        assert.match(message, /^1 setting is wrong; nothing was touched\./);
        assert.ok(message.includes(`\n  synapse:${key}\n    got:    plain text\n`), message);
        assert.ok(message.includes(`pulumi config set --secret --path synapse:${key}`), message);
    }
});

test("a challenge by HTTP wants a port that the CA can know", () => {
    assert.throws(
        () => read({}, { ephemeral: "true" }),
        /synapse:ports\.http\s+got: {4}a port that Docker picks/,
    );
    assert.equal(read({}, { ephemeral: "true", ports: '{"http":80}' }).ports.http, 80);
    assert.equal(read({ challenge: BY_DNS }, { ephemeral: "true" }).ports.http, undefined);
});
