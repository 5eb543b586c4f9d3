import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server as HttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect, type SecureVersion, type TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { visit } from "../support/browser.ts";
import { servedCertificate } from "../support/certificates.ts";
import { docker, Homeserver, images, inspect, logs, type Run } from "../support/homeserver.ts";
import { ask, eventually, type Response } from "../support/http.ts";
import { freePorts } from "../support/ports.ts";

/** The whole server with nginx in front, from outside: each test leaves it up and as it found it. */

const server = new Homeserver({ tls: { mode: "local-ca" }, maxUploadSize: "1M" });
const LIMIT = 1024 * 1024;
let first: Run;
let token: string;

before(async () => {
    first = await server.mustUp();
    await server.registerUser("alice", "correct horse");
    token = await logIn("alice", "correct horse");
});
after(() => server.destroy());

/** Chromium as root, on a machine without a screen, that talks to nobody but the test. */
const QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
];

/** Asks nginx's HTTPS port, trusting the stack's private CA. */
function askNginx(path: string, more: Partial<Parameters<typeof ask>[0]> = {}): Promise<Response> {
    return ask({ port: first.outputs.publishedPorts.https, path, ca: first.outputs.caCertificate, ...more });
}

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

async function logIn(user: string, password: string): Promise<string> {
    const body = JSON.stringify({
        type: "m.login.password",
        identifier: { type: "m.id.user", user },
        password,
    });
    const answer = await askNginx("/_matrix/client/v3/login", { method: "POST", body });
    assert.equal(answer.status, 200, answer.body);
    return (JSON.parse(answer.body) as { access_token: string }).access_token;
}

test("a Matrix client registers, logs in, makes a room, sends a message and syncs it", async () => {
    const directory = mkdtempSync(join(tmpdir(), "client-"));
    const ca = join(directory, "ca.pem");
    writeFileSync(ca, first.outputs.caCertificate ?? "");
    // Node reads this variable only when it starts.
    const { stdout } = await promisify(execFile)(
        process.execPath,
        [
            join(import.meta.dirname, "../support/matrix-client.ts"),
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

test("a second run with nothing changed touches nothing and says so", async () => {
    const run = await server.mustUp();
    assert.match(run.printed, /Nothing to do/);
    assert.deepEqual(
        [run.changes.created, run.changes.updated, run.changes.replaced, run.changes.removed].map(
            (count) => count ?? 0,
        ),
        [0, 0, 0, 0],
    );
});

test("a client that does not know the private CA is refused by its own check", async () => {
    await assert.rejects(askNginx("/_matrix/client/versions", { ca: "", options: {} }), /certificate/);
});

test("the admin API and everything beside /_matrix and /_synapse/client are closed from outside", async () => {
    const headers = { Authorization: `Bearer ${token}` };
    const closed = [
        "/_synapse/admin/v1/server_version",
        "/_synapse/admin/v2/users",
        "/_matrix/../_synapse/admin/v1/server_version",
        "/_matrix/%2e%2e/_synapse/admin/v1/server_version",
        "/_synapse/admin/v1/server_version/../../../../_matrix/client/versions",
        "/_synapse/client/../admin/v1/server_version",
        "//_synapse/admin/v1/server_version",
        "/_matrixed",
        "/_synapse/metrics",
        "/health",
    ];
    for (const path of closed) {
        const { status, body } = await askNginx(path, { headers });
        assert.ok(status === 404 || status === 400, `${path} answered ${status} ${body}`);
        assert.doesNotMatch(body, /server_version|versions|access/);
    }
    const port = first.outputs.publishedPorts.synapse;
    const inside = await ask({ port, path: "/_synapse/admin/v1/server_version", headers });
    assert.equal(inside.status, 200, "the admin API answers on the host's loopback");
});

test("the bare address leads to Synapse's own page", async () => {
    const { status, headers } = await askNginx("/");
    assert.deepEqual([status, headers.location], [302, "/_matrix/static/"]);
    const page = await askNginx(String(headers.location));
    assert.equal(page.status, 200);
    assert.match(page.body, /Synapse is running/);
});

test("it is reached by the loopback addresses too, and its certificate holds for them", async () => {
    for (const host of ["localhost", "127.0.0.1"]) {
        const { status } = await askNginx("/_matrix/client/versions", {
            address: "127.0.0.1",
            options: { servername: host === "localhost" ? host : "" },
            host: `${host}:${first.outputs.publishedPorts.https}`,
        });
        assert.equal(status, 200, host);
    }
});

test("a forged X-Forwarded-For is not believed", async () => {
    const mark = `forger-${Date.now()}`;
    const headers = { "User-Agent": mark, "X-Forwarded-For": "198.51.100.7" };
    await askNginx("/_matrix/client/versions", { headers });
    const line = (await logs(server.name)).split("\n").find((text) => text.includes(mark));
    assert.ok(line, "Synapse logged the request");
    assert.doesNotMatch(line, /198\.51\.100\.7/);
});

test("Synapse gets the path as it was sent, %2F and all", async () => {
    const mark = `slash-${Date.now()}`;
    const path = "/_matrix/client/v3/directory/room/%23a%2Fb%3Alocalhost";
    await askNginx(path, { headers: { "User-Agent": mark } });
    const line = (await logs(server.name)).split("\n").find((text) => text.includes(mark));
    assert.ok(line?.includes(path), line ?? "no such line");
});

test("an upload at the limit is accepted, and one byte more is refused by nginx, however it is sent", async () => {
    const upload = (bytes: number, more: Record<string, string> = {}) =>
        askNginx("/_matrix/media/v3/upload", {
            method: "POST",
            headers: {
                Authorization: `Bearer ${token}`,
                "Content-Type": "application/octet-stream",
                ...more,
            },
            body: Buffer.alloc(bytes),
        });
    assert.equal((await upload(LIMIT)).status, 200);
    for (const more of [{}, { "Transfer-Encoding": "chunked" }]) {
        const refused = await upload(LIMIT + 1, more);
        assert.equal(refused.status, 413);
        assert.equal(refused.headers.server, "nginx");
        assert.equal((JSON.parse(refused.body) as { errcode: string }).errcode, "M_TOO_LARGE");
    }
});

test(".well-known is JSON that web pages may read, and names the published ports", async () => {
    const client = await askNginx("/.well-known/matrix/client", {
        host: `localhost:${first.outputs.publishedPorts.https}`,
        options: { servername: "localhost" },
    });
    assert.equal(client.headers["content-type"], "application/json");
    assert.equal(client.headers["access-control-allow-origin"], "*");
    assert.deepEqual(JSON.parse(client.body), { "m.homeserver": { base_url: first.outputs.clientUrl } });
    const delegation = await askNginx("/.well-known/matrix/server");
    assert.equal(delegation.headers["access-control-allow-origin"], "*");
    assert.ok("m.server" in (JSON.parse(delegation.body) as object));
    const preflight = await askNginx("/.well-known/matrix/client", { method: "OPTIONS" });
    assert.equal(preflight.status, 200);
});

test("8448 serves the same with the same certificate, and 80 redirects", async () => {
    const { federation, http } = first.outputs.publishedPorts;
    const answer = await askNginx("/_matrix/key/v2/server", { port: federation });
    const [id = "", key] = first.outputs.verifyKey.split(" ");
    const document = JSON.parse(answer.body) as { verify_keys: Record<string, { key: string }> };
    assert.equal(document.verify_keys[id]?.key, key);
    const redirect = await ask({ port: http, path: "/_matrix/client/versions" });
    assert.equal(redirect.status, 301);
    assert.equal(redirect.headers.location, "https://localhost/_matrix/client/versions");
});

test("TLS 1.2 and 1.3 are spoken and 1.1 is not; HTTP/2 is offered", async () => {
    const offered = (version: SecureVersion) =>
        new Promise<string>((resolve, reject) => {
            const socket: TLSSocket = connect({
                port: first.outputs.publishedPorts.https,
                host: "127.0.0.1",
                servername: "localhost",
                ca: first.outputs.caCertificate,
                minVersion: version,
                maxVersion: version,
                // OpenSSL itself refuses 1.1 at its default level: the refusal must come from the server.
                ciphers: "DEFAULT:@SECLEVEL=0",
                ALPNProtocols: ["h2", "http/1.1"],
            });
            socket.on("secureConnect", () => {
                resolve(`${socket.getProtocol()} ${String(socket.alpnProtocol)}`);
                socket.destroy();
            });
            socket.on("error", reject);
        });
    assert.equal(await offered("TLSv1.3"), "TLSv1.3 h2");
    assert.equal(await offered("TLSv1.2"), "TLSv1.2 h2");
    await assert.rejects(offered("TLSv1.1"), /protocol version|alert/);
});

test("nginx logs no query, in which access tokens can stand", async () => {
    const secret = `syt_${Date.now()}`;
    await askNginx(`/_matrix/client/versions?access_token=${secret}`);
    const log = await eventually(
        10,
        () => logs(server.nginx),
        (text) => text.includes("/_matrix/client/versions HTTP"),
    );
    // What is under way in nginx's buffer comes within a second.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.doesNotMatch(await logs(server.nginx), new RegExp(secret));
    assert.match(log, /"GET \/_matrix\/client\/versions HTTP/);
    assert.doesNotMatch(log, new RegExp(secret));
});

test("a certificate that nears its end is renewed without a deployment, and nginx serves the new one", async () => {
    const renewal = `${server.name}-certificate-renewal`;
    const port = first.outputs.publishedPorts.https;
    const days = async () =>
        (Date.parse((await servedCertificate(port, "localhost")).valid_to) - Date.now()) / 86_400_000;
    const started = await inspect(server.nginx, "{{.Id}} {{.State.StartedAt}}");
    // Docker looks only every few seconds.
    await eventually(
        20,
        () => inspect(renewal, "{{.State.Health.Status}} {{.HostConfig.NetworkMode}}"),
        (state) => state === "healthy none",
    );
    const soon = `eval "$(printf %s "$ISSUE" | sed -n '/^install_pair()/,/^}/p')"
        cd /tmp
        ca=/ca/$(printf %s "$CONSTRAINTS" | sha256sum | cut -c 1-12)
        openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=soon -keyout key -out csr
        printf 'subjectAltName=%s\nauthorityKeyIdentifier=keyid\n' "$NAMES" >extensions
        openssl x509 -req -in csr -CA $ca/ca.pem -CAkey $ca/ca.key -days 29 -extfile extensions -out leaf
        install_pair leaf key "$OWNER"`;
    await docker("exec", renewal, "sh", "-euc", soon);
    assert.ok((await eventually(10, days, (left) => left < 30)) > 28);
    await docker("kill", "--signal=USR1", renewal);
    assert.ok((await eventually(15, days, (left) => left > 80)) < 91);
    assert.equal((await askNginx("/_matrix/client/versions")).status, 200);
    assert.equal(await inspect(server.nginx, "{{.Id}} {{.State.StartedAt}}"), started);
});

test("a bad setting is refused with its key, before anything is touched", async () => {
    const containers = await inspect(server.name, "{{.Id}}");
    const run = await server.up({ maxUploadSize: "lots", ports: { https: 0 } });
    assert.equal(run.code, 1);
    assert.match(run.printed, /synapse:maxUploadSize/);
    assert.match(run.printed, /synapse:ports\.https/);
    assert.match(run.printed, /nothing was touched/);
    assert.equal(await inspect(server.name, "{{.Id}}"), containers);
});

test("a configuration that Synapse refuses leaves the running server as it is", async () => {
    const id = await inspect(server.name, "{{.Id}}");
    const run = await server.up({ extraConfig: { url_preview_enabled: true } });
    assert.equal(run.code, 1);
    assert.match(run.printed, /the running server was not touched/);
    assert.match(run.printed, /url_preview_ip_range_blacklist/);
    assert.equal(await inspect(server.name, "{{.Id}}"), id);
    assert.equal((await askNginx("/_matrix/client/versions")).status, 200);
});

test("a changed setting reaches Synapse, its key stays, and nginx finds the new server without being replaced", async () => {
    const before = {
        key: await server.signingKey(),
        nginx: await inspect(server.nginx, "{{.Id}}"),
        synapse: await inspect(server.name, "{{.Id}}"),
    };
    const run = await server.mustUp({ extraConfig: { presence: { enabled: false } } });
    assert.notEqual(await inspect(server.name, "{{.Id}}"), before.synapse);
    assert.equal(await inspect(server.nginx, "{{.Id}}"), before.nginx);
    assert.equal(await server.signingKey(), before.key);
    assert.equal(run.outputs.verifyKey, first.outputs.verifyKey);
    assert.match(
        await docker("exec", server.name, "cat", "/config/homeserver.yaml"),
        /presence:\n {2}enabled: false/,
    );
    first = await server.mustUp();
});

test("a changed upload limit reaches nginx by a reload, and its connections by nothing worse", async () => {
    const started = await inspect(server.nginx, "{{.Id}} {{.State.StartedAt}}");
    const upload = () =>
        askNginx("/_matrix/media/v3/upload", {
            method: "POST",
            headers: { Authorization: `Bearer ${token}` },
            body: Buffer.alloc(LIMIT + 1),
        });
    first = await server.mustUp({ maxUploadSize: "2M" });
    assert.equal((await upload()).status, 200);
    assert.equal(await inspect(server.nginx, "{{.Id}} {{.State.StartedAt}}"), started);
    first = await server.mustUp();
    assert.equal((await upload()).status, 413);
});

test("another image replaces the server and keeps its key and its users", async () => {
    const key = await server.signingKey();
    const image = `${server.name}:other`;
    const container = await docker("create", await inspect(server.name, "{{.Image}}"));
    await docker("commit", "--change", "LABEL made.by=a-test", container, image);
    await docker("rm", container);
    try {
        const id = await inspect(server.name, "{{.Id}}");
        const nginx = await inspect(server.nginx, "{{.Config.Image}}");
        first = await server.mustUp({ images: { synapse: image, nginx } });
        assert.notEqual(await inspect(server.name, "{{.Id}}"), id);
        assert.equal(await server.signingKey(), key);
        token = await logIn("alice", "correct horse");
    } finally {
        first = await server.mustUp();
        await docker("image", "rm", image);
    }
});

test("a server that is killed comes back by itself, and nginx serves it again", async () => {
    const pid = await inspect(server.name, "{{.State.Pid}}");
    // `docker kill` would count as a wish; the process dying does not. Not everybody who may use Docker may kill it.
    const inHost = ["run", "--rm", "--pid=host", "--user=0", "--network=none", "--entrypoint=sh"];
    await docker(...inHost, images.synapse ?? "", "-c", `kill -9 ${pid}`);
    const answer = await eventually(
        30,
        () => askNginx("/_matrix/client/versions"),
        ({ status }) => status === 200,
    );
    assert.equal(answer.status, 200);
    assert.ok(Number(await inspect(server.name, "{{.RestartCount}}")) >= 1);
});

test("the containers are unprivileged, on a read-only root, with bounded memory and logs", async () => {
    for (const container of [server.name, server.nginx]) {
        const host = JSON.parse(await inspect(container, "{{json .HostConfig}}")) as {
            ReadonlyRootfs: boolean;
            CapDrop: string[];
            CapAdd: string[] | null;
            SecurityOpt: string[];
            Memory: number;
            MemorySwap: number;
            RestartPolicy: { Name: string };
            LogConfig: { Config: Record<string, string> };
        };
        assert.equal(host.ReadonlyRootfs, true);
        assert.deepEqual(host.CapDrop, ["ALL"]);
        assert.deepEqual(host.CapAdd ?? [], []);
        assert.ok(host.SecurityOpt.includes("no-new-privileges:true"));
        assert.equal(host.Memory, host.MemorySwap);
        assert.equal(host.RestartPolicy.Name, "unless-stopped");
        assert.equal(host.LogConfig.Config["max-size"], "10m");
        assert.match(await docker("exec", container, "cat", "/proc/1/status"), /CapEff:\s+0{16}/);
    }
    assert.equal(await docker("exec", server.name, "id", "-u"), "991");
    assert.equal(await docker("exec", server.nginx, "id", "-u"), "101");
});

test("Synapse is published on the loopback address alone", async () => {
    assert.match(await docker("port", server.name, "8008"), /^127\.0\.0\.1:\d+$/);
});

test("the signing key is the same after stop and start", async () => {
    const key = await server.signingKey();
    const started = Date.now();
    await docker("stop", server.name);
    assert.equal(await inspect(server.name, "{{.State.ExitCode}}"), "0", "it stopped politely");
    assert.ok(Date.now() - started < 30_000);
    await docker("start", server.name);
    assert.equal(await server.signingKey(), key);
    // Docker picks another port for a container that starts again.
    first = await server.mustUp();
    await eventually(
        30,
        () => askNginx("/_matrix/client/versions"),
        ({ status }) => status === 200,
    );
});

test("a modern profile speaks TLS 1.3 alone", async () => {
    first = await server.mustUp({ tls: { mode: "local-ca", profile: "modern" } });
    await assert.rejects(
        askNginx("/_matrix/client/versions", { options: { maxVersion: "TLSv1.2" } }),
        /protocol version|alert/,
    );
    assert.equal(
        (await askNginx("/_matrix/client/versions", { options: { minVersion: "TLSv1.3" } })).status,
        200,
    );
    first = await server.mustUp();
});

test("Ctrl-C during up leaves something that the next up finishes", async () => {
    const child = server.start({ logLevel: "DEBUG" }, {});
    await new Promise((resolve) => setTimeout(resolve, 2500));
    process.kill(child.pid ?? 0, "SIGINT");
    await new Promise((resolve) => child.on("close", resolve));
    first = await server.mustUp();
    assert.equal((await askNginx("/_matrix/client/versions")).status, 200);
});
