import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server as HttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { visit } from "../../support/browser.ts";
import { docker, Homeserver } from "../../support/homeserver.ts";
import { ask } from "../../support/http.ts";
import { freePorts } from "../../support/ports.ts";
import { first, server } from "./server.ts";

/** Chromium as root, on a machine without a screen, that talks to nobody but the test. */
const QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
];

/** A web server of another name, with a certificate from whoever got hold of the private CA's key. */
async function forgedServer(host: string): Promise<HttpsServer> {
    const forge = `cd /tmp
        ca=/ca/$(printf %s "$CONSTRAINTS" | sha256sum | cut -c 1-12)
        openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=${host} -keyout key -out csr
        printf 'subjectAltName=DNS:${host}\nauthorityKeyIdentifier=keyid\n' >extensions
        openssl x509 -req -in csr -CA $ca/ca.pem -CAkey $ca/ca.key -days 9 -extfile extensions
        cat key`;
    const pem = await docker("exec", `${server.name}-certificate-renewal`, "sh", "-euc", forge);
    const forged = createServer({ cert: pem, key: pem }, (_request, response) => response.end("forged"));
    await new Promise<void>((resolve) => forged.listen(0, "127.0.0.1", resolve));
    return forged;
}

async function programOnPath(name: string): Promise<string> {
    const { stdout } = await promisify(execFile)("sh", ["-c", 'command -v "$0"', name]);
    return stdout.trim();
}

test("a Matrix client registers, logs in, makes a room, sends a message and syncs it", async () => {
    const directory = mkdtempSync(join(tmpdir(), "client-"));
    const ca = join(directory, "ca.pem");
    writeFileSync(ca, first.outputs.caCertificate ?? "");
    // Node reads this variable only when it starts.
    const { stdout } = await promisify(execFile)(
        process.execPath,
        [
            join(import.meta.dirname, "../../support/matrix-client.ts"),
            first.outputs.clientUrl,
            "alice",
            "correct horse",
        ],
        { env: { ...process.env, NODE_EXTRA_CA_CERTS: ca }, timeout: 60_000 },
    );
    rmSync(directory, { recursive: true });
    assert.match(stdout, /received: Hello from the test/);
});

test("a browser that trusts the private CA opens Synapse's page, and no site of another name that the CA's key certifies", async () => {
    const home = mkdtempSync(join(tmpdir(), "browser-"));
    const database = `sql:${join(home, ".pki/nssdb")}`;
    writeFileSync(join(home, "ca.pem"), first.outputs.caCertificate ?? "");
    await promisify(execFile)("mkdir", ["-p", join(home, ".pki/nssdb")]);
    await promisify(execFile)("certutil", ["-d", database, "-N", "--empty-password"]);
    const add = ["-d", database, "-A", "-n", "stack", "-t", "C,,", "-i", join(home, "ca.pem")];
    await promisify(execFile)("certutil", add);
    const browser = await chromium.launch({
        executablePath: await programOnPath("chromium"),
        env: { ...process.env, HOME: home },
        args: [...QUIET, "--disable-quic", "--host-resolver-rules=MAP forged.test 127.0.0.1"],
    });
    try {
        const page = await browser.newPage();
        const response = await visit(page, `${first.outputs.clientUrl}/_matrix/static/`);
        assert.equal(response?.status(), 200);
        assert.match(await page.title(), /Synapse is running/);
        const security = await response?.securityDetails();
        assert.match(security?.protocol ?? "", /TLS 1\.3/);

        const forger = await forgedServer("forged.test");
        try {
            const { port } = forger.address() as AddressInfo;
            await assert.rejects(visit(page, `https://forged.test:${port}/`), /ERR_CERT_/);
        } finally {
            forger.close();
        }
    } finally {
        await browser.close();
        rmSync(home, { recursive: true, force: true });
    }
});

test("a browser is told of HTTP/3 and speaks it, when the setting says so", async () => {
    const [https = 0] = await freePorts(1);
    const own = new Homeserver({ tls: { mode: "local-ca", http3: true }, ports: { https } });
    const { outputs } = await own.mustUp();
    const path = "/_matrix/client/versions";
    const answer = await ask({ port: https, path, ca: outputs.caCertificate });
    assert.equal(answer.headers["alt-svc"], `h3=":${https}"; ma=86400`);
    const home = mkdtempSync(join(tmpdir(), "browser-"));
    const chain = await docker("exec", own.nginx, "cat", "/etc/nginx/certificates/current/fullchain.pem");
    const spki = new X509Certificate(chain).publicKey.export({ type: "spki", format: "der" });
    // QUIC in Chromium takes no private CA from the user's store: this certificate's key is named instead.
    const key = createHash("sha256").update(spki).digest("base64");
    const browser = await chromium.launch({
        executablePath: await programOnPath("chromium"),
        env: { ...process.env, HOME: home },
        args: [
            ...QUIET,
            "--enable-quic",
            // The stack of this test is published on IPv4 alone.
            "--host-resolver-rules=MAP localhost 127.0.0.1",
            `--origin-to-force-quic-on=localhost:${https}`,
            `--ignore-certificate-errors-spki-list=${key}`,
        ],
    });
    try {
        const page = await browser.newPage();
        await visit(page, `https://localhost:${https}/_matrix/static/`);
        const protocol = await page.evaluate(() => {
            const [navigation] = performance.getEntriesByType("navigation");
            return (navigation as unknown as { nextHopProtocol: string }).nextHopProtocol;
        });
        assert.equal(protocol, "h3");
    } finally {
        await browser.close();
        rmSync(home, { recursive: true, force: true });
        await own.destroy();
    }
});
