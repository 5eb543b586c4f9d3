import assert from "node:assert/strict";
import { test } from "node:test";
import { certificateSource } from "../../addresses.ts";
import type { AcmeSource } from "../../components/certificates/acme.ts";
import { certbotArguments, certificateProfile } from "../../components/certificates/certbot-arguments.ts";
import { type NginxConfArgs, nginxConf } from "../../components/nginx/conf.ts";
import { front } from "../../settings/front.ts";
import { usedImages } from "../../settings/images.ts";
import { readSettings } from "../../settings/read.ts";
import type { Settings } from "../../settings/settings.ts";
import { everywhere, here, parseNginx } from "../support/nginx.ts";

const LEAST = { mode: "acme", email: "admin@example.org" };
const BY_DNS = { type: "dns-01", plugin: "cloudflare", credentials: "dns_cloudflare_api_token = Hunter2" };

function read(
    tls: Record<string, unknown>,
    others: Record<string, string> = {},
    secret: readonly string[] = ["tls"],
): Settings {
    const config = { serverName: "example.org", tls: JSON.stringify({ ...LEAST, ...tls }), ...others };
    return readSettings("prod", config, (key) => secret.includes(key));
}

function refusal(...args: Parameters<typeof read>): string {
    try {
        read(...args);
    } catch (error) {
        return (error as Error).message;
    }
    assert.fail(`${JSON.stringify(args)} was not refused`);
}

function sourceOf(tls: Record<string, unknown>): AcmeSource {
    const source = certificateSource(read(tls));
    assert.ok(source?.mode === "acme");
    return source;
}

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
    assert.equal(front(settings), "proxy");
    assert.deepEqual(Object.keys(usedImages(settings)), ["synapse", "nginx", "certbot"]);
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

// --- What certbot is told -----------------------------------------------------------------------------------------

test("certbot gets every name once, the server's own first, which also names the certificate", () => {
    const told = certbotArguments(sourceOf({ names: ["chat.example.org", "example.org"] }), "example.org");
    assert.ok(told.includes("--cert-name=example.org"));
    assert.deepEqual(
        told.filter((argument) => argument.startsWith("--domain=")),
        ["--domain=example.org", "--domain=chat.example.org"],
    );
});

test("an address is asked for as one, without brackets, in the only profile in which Let's Encrypt certifies it", () => {
    const told = certbotArguments(sourceOf({ names: ["192.0.2.1", "[2001:db8::1]"] }), "example.org");
    assert.deepEqual(told.slice(6, 11), [
        "--cert-name=example.org",
        "--domain=example.org",
        "--ip-address=192.0.2.1",
        "--ip-address=2001:db8::1",
        "--preferred-profile=shortlived",
    ]);
    const alone = certbotArguments(sourceOf({}), "2001:db8::1");
    assert.ok(alone.includes("--ip-address=2001:db8::1"));
    assert.ok(alone.includes("--preferred-profile=shortlived"));
});

test("a profile that is asked for is insisted on, and is what a certificate must have been asked for in", () => {
    const source = sourceOf({ certificateProfile: "tlsserver", names: ["192.0.2.1"] });
    const told = certbotArguments(source, "example.org");
    assert.deepEqual(
        told.filter((argument) => argument.includes("profile")),
        ["--required-profile=tlsserver"],
    );
    assert.equal(certificateProfile(source, "example.org"), "tlsserver");
    assert.equal(certificateProfile(sourceOf({}), "192.0.2.1"), "shortlived");
    assert.equal(certificateProfile(sourceOf({}), "example.org"), "");
});

test("without an e-mail address the account has none", () => {
    const told = certbotArguments(sourceOf({ email: undefined }), "example.org");
    assert.ok(told.includes("--register-unsafely-without-email"));
    assert.ok(!told.some((argument) => argument.startsWith("--email")));
});

test("over HTTP certbot writes its answers where nginx serves them", () => {
    const told = certbotArguments(sourceOf({}), "example.org");
    assert.deepEqual(told, [
        "--non-interactive",
        "--agree-tos",
        "--no-eff-email",
        "--max-log-backups=5",
        "--email=admin@example.org",
        "--server=https://acme-v02.api.letsencrypt.org/directory",
        "--cert-name=example.org",
        "--domain=example.org",
        "--renew-with-new-domains",
        "--key-type=ecdsa",
        "--authenticator=webroot",
        "--webroot-path=/webroot",
    ]);
});

test("by the DNS certbot gets its plugin with a file, and nothing of what is in it", () => {
    const source = sourceOf({
        challenge: { ...BY_DNS, propagationSeconds: 30 },
        externalAccount: { keyId: "key-1", hmacKey: "Hunter2" },
    });
    const told = certbotArguments(source, "example.org");
    assert.deepEqual(told.slice(-4), [
        "--config=/secrets/account.ini",
        "--authenticator=dns-cloudflare",
        "--dns-cloudflare-credentials=/secrets/credentials.ini",
        "--dns-cloudflare-propagation-seconds=30",
    ]);
    assert.doesNotMatch(told.join(" "), /Hunter2|key-1/);
});

test("Amazon's plugin, which takes no file as an argument, gets none", () => {
    const source = sourceOf({ challenge: { ...BY_DNS, plugin: "route53" } });
    assert.deepEqual(certbotArguments(source, "example.org").slice(-1), ["--authenticator=dns-route53"]);
});

// --- nginx --------------------------------------------------------------------------------------------------------

const CONF: NginxConfArgs = {
    publicHost: "example.org",
    httpsPort: 443,
    federationPort: 8448,
    federation: "apart",
    wellKnown: { client: {}, server: {} },
    ipv6: false,
    maxUploadSize: "50M",
    profile: "intermediate",
    hsts: true,
    http3: false,
    acmeChallenges: true,
    holdSeconds: 15,
    memory: 256,
    holdScript: "",
    upstream: "synapse:8008",
    listen: { http: [80, 10080], https: [443], federation: [8448] },
};

test("port 80 alone serves answers to challenges, from the volume that certbot writes", () => {
    const servers = everywhere(parseNginx(nginxConf(CONF).text), "server").filter(({ block }) => block);
    const answering = servers.filter(({ block = [] }) =>
        here(block, "location").some(({ args }) => args.includes("/.well-known/acme-challenge/")),
    );
    assert.deepEqual(
        answering.map(({ block = [] }) => here(block, "listen").map(({ args }) => args[0])),
        [["80", "10080"]],
    );
    assert.deepEqual(
        everywhere(answering, "root").map(({ args }) => args),
        [["/etc/nginx/webroot"]],
    );
});

test("without ACME nothing but redirects is served on port 80", () => {
    const { text } = nginxConf({ ...CONF, acmeChallenges: false });
    assert.doesNotMatch(text, /acme-challenge/);
});

test("a challenge by HTTP wants a port that the CA can know", () => {
    assert.throws(
        () => read({}, { ephemeral: "true" }),
        /synapse:ports\.http\s+got: {4}a port that Docker picks/,
    );
    assert.equal(read({}, { ephemeral: "true", ports: '{"http":80}' }).ports.http, 80);
    assert.equal(read({ challenge: BY_DNS }, { ephemeral: "true" }).ports.http, undefined);
});
