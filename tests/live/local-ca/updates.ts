import assert from "node:assert/strict";
import { test } from "node:test";
import { docker, inspect } from "../../support/homeserver.ts";
import { askNginx, first, LIMIT, logIn, server, token, up } from "./server.ts";

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
    await up();
});

test("a changed upload limit reaches nginx by a reload, and its connections by nothing worse", async () => {
    const started = await inspect(server.nginx, "{{.Id}} {{.State.StartedAt}}");
    const upload = () =>
        askNginx("/_matrix/media/v3/upload", {
            method: "POST",
            headers: { Authorization: `Bearer ${token}` },
            body: Buffer.alloc(LIMIT + 1),
        });
    await up({ maxUploadSize: "2M" });
    assert.equal((await upload()).status, 200);
    assert.equal(await inspect(server.nginx, "{{.Id}} {{.State.StartedAt}}"), started);
    await up();
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
        await up({ images: { synapse: image, nginx } });
        assert.notEqual(await inspect(server.name, "{{.Id}}"), id);
        assert.equal(await server.signingKey(), key);
        await logIn();
    } finally {
        await up();
        await docker("image", "rm", image);
    }
});

test("a modern profile speaks TLS 1.3 alone", async () => {
    await up({ tls: { mode: "local-ca", profile: "modern" } });
    await assert.rejects(
        askNginx("/_matrix/client/versions", { options: { maxVersion: "TLSv1.2" } }),
        /protocol version|alert/,
    );
    assert.equal(
        (await askNginx("/_matrix/client/versions", { options: { minVersion: "TLSv1.3" } })).status,
        200,
    );
    await up();
});

test("Ctrl-C during up leaves something that the next up finishes", async () => {
    const child = server.start({ logLevel: "DEBUG" }, {});
    await new Promise((resolve) => setTimeout(resolve, 2500));
    process.kill(child.pid ?? 0, "SIGINT");
    await new Promise((resolve) => child.on("close", resolve));
    await up();
    assert.equal((await askNginx("/_matrix/client/versions")).status, 200);
});
