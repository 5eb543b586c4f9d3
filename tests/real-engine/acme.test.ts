import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { servedCertificate } from "../support/certificates.ts";
import { certbotWithDnsPlugin } from "../support/dns-plugin.ts";
import { docker, images, inspect } from "../support/homeserver.ts";
import { ask } from "../support/http.ts";
import { Pebble } from "../support/pebble.ts";
import { freePorts } from "../support/ports.ts";
import { PulumiStack } from "../support/pulumi.ts";
import { assertNothingLeft } from "../support/standing.ts";

/** A throw-away stack under the real Pulumi CLI that gets its certificates by ACME, first over HTTP, then by the DNS. */

const HOST = "matrix.test";
const stack = new PulumiStack();
const token = randomBytes(24).toString("base64url");
let settings: Record<string, unknown>;
let pebble: Pebble;
let https: number;

before(async () => {
    const [http = 0, tlsPort = 0] = await freePorts(2);
    https = tlsPort;
    pebble = await Pebble.start({ httpPort: http });
    process.env.NODE_EXTRA_CA_CERTS = await pebble.rootFile();
    settings = {
        publicHost: HOST,
        ephemeral: true,
        ports: { http, https },
        listenAddresses: { public: ["127.0.0.1"] },
        images: { ...images, certbot: await certbotWithDnsPlugin() },
        tls: {
            mode: "acme",
            email: "admin@example.org",
            server: pebble.directory,
            caBundle: pebble.caBundle,
        },
    };
    await stack.configure(settings);
});

after(async () => {
    await stack.run("cancel", "--yes");
    await stack.run("destroy", "--yes");
    stack.remove();
    await pebble.stop();
});

async function isTrusted(): Promise<boolean> {
    const path = "/_matrix/client/versions";
    return (await ask({ port: https, host: HOST, path, ca: await pebble.root() })).status === 200;
}

test("up gets a certificate from nothing, and the next preview is empty", async () => {
    await stack.up();
    assert.ok(await isTrusted());
    assert.equal(pebble.orders, 1);
    const preview = await stack.run("preview", "--refresh", "--expect-no-changes", "--diff");
    assert.equal(preview.code, 0, preview.printed);
});

test("a renewal is no change to Pulumi, and the next up asks for nothing", async () => {
    const { serialNumber } = await servedCertificate(https, HOST);
    const now =
        "CERTBOT_ARGUMENTS=$(printf '%s\\n--force-renewal' \"$CERTBOT_ARGUMENTS\") sh /scripts/obtain.sh";
    await docker("exec", `${stack.name}-certbot`, "sh", "-c", `${now} && sleep 3`);
    assert.notEqual((await servedCertificate(https, HOST)).serialNumber, serialNumber);
    const preview = await stack.run("preview", "--refresh", "--expect-no-changes", "--diff");
    assert.equal(preview.code, 0, preview.printed);
    await stack.must("up", "--yes", "--skip-preview", "--expect-no-changes");
    assert.equal(pebble.orders, 2);
});

test("a changed name and another challenge show in the preview, without the credentials, and are issued anew", async () => {
    const tls = settings.tls as object;
    const challenge = { type: "dns-01", plugin: "challtestsrv", propagationSeconds: 0 };
    await stack.configure({ ...settings, tls: { ...tls, names: ["*.matrix.test"], challenge } });
    const credentials = `dns_challtestsrv_url = ${pebble.dns}\ndns_challtestsrv_token = ${token}\n`;
    await stack.must("config", "set", "--secret", "--path", "synapse:tls.challenge.credentials", credentials);
    const preview = await stack.must("preview", "--diff");
    assert.match(preview.printed, /certbot-issuance/);
    assert.match(preview.printed, /--domain=\*\.matrix\.test/);
    assert.match(preview.printed, /--authenticator=dns-challtestsrv/);

    await stack.up();
    assert.ok(await isTrusted());
    const { subjectaltname = "" } = await servedCertificate(https, HOST);
    assert.deepEqual(subjectaltname.split(", ").sort(), ["DNS:*.matrix.test", "DNS:matrix.test"]);
    assert.equal(pebble.orders, 3);
    const again = await stack.run("preview", "--refresh", "--expect-no-changes", "--diff");
    assert.equal(again.code, 0, again.printed);
});

test("the credentials stand in a file that certbot's user reads, and neither in the state nor in what was printed", async () => {
    const certbot = `${stack.name}-certbot`;
    assert.match(await docker("exec", certbot, "cat", "/secrets/credentials.ini"), new RegExp(token));
    const { printed: state } = await stack.must("stack", "export");
    assert.match(state, /certbot-credentials\.ini/);
    assert.ok(!state.includes(token), "the state");
    assert.ok(!stack.printed.includes(token), "what was printed");
    assert.ok(!(await inspect(certbot, "{{json .}}")).includes(token), "docker inspect");
});

test("destroying the throw-away leaves nothing behind", async () => {
    await stack.must("destroy", "--yes");
    await assertNothingLeft(stack.name);
});
