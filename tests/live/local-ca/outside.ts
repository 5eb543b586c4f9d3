import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, type SecureVersion, type TLSSocket } from "node:tls";
import { logs } from "../../support/homeserver.ts";
import { ask, eventually } from "../../support/http.ts";
import { askNginx, first, LIMIT, server, token } from "./server.ts";

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
