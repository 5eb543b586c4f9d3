import assert from "node:assert/strict";
import { test } from "node:test";
import { docker, images, inspect } from "../../support/homeserver.ts";
import { eventually } from "../../support/http.ts";
import { askNginx, server, up } from "./server.ts";

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
    await up();
    await eventually(
        30,
        () => askNginx("/_matrix/client/versions"),
        ({ status }) => status === 200,
    );
});
