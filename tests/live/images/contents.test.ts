import assert from "node:assert/strict";
import { test } from "node:test";
import Docker from "dockerode";
import { REFUSED_BY_BUSYBOX } from "../../support/busybox.ts";
import { docker, equivalent, HARDENED, succeed, type Used, used } from "../../support/image-commands.ts";

// What is inside the official images, and the equivalents where these stand in.

const synapse = used("synapse");
const nginx = used("nginx");
const certbot = used("certbot");
const restic = used("restic");

test("certbot runs hardened as nginx's user, and has what the scripts around it need", async () => {
    const run = (...more: string[]) =>
        succeed(
            "run",
            "--rm",
            "--network=none",
            ...HARDENED,
            "--user=101:101",
            "--tmpfs=/tmp",
            "--tmpfs=/etc/letsencrypt:uid=101,gid=101",
            "--tmpfs=/var/lib/letsencrypt:uid=101,gid=101",
            "--tmpfs=/var/log/letsencrypt:uid=101,gid=101",
            ...more,
        );
    assert.equal(await run(certbot.tag, "--version"), `certbot ${certbot.version}`);
    assert.match(await run(certbot.tag, "certificates"), /No certificates found/);
    const shell = (script: string) => run("--entrypoint=/bin/sh", certbot.tag, "-c", script);
    for (const tool of ["flock", "openssl", "python3", "sha256sum", "shuf"])
        await shell(`command -v ${tool}`);
    // As in the official one: what works here must not be more than there.
    for (const tool of ["bash", "curl", "getent", "perl", "apt-get"]) await shell(`! command -v ${tool}`);
    for (const refused of REFUSED_BY_BUSYBOX) await shell(`! ${refused} 2>/dev/null`);
    assert.equal(
        await shell(
            "flock -n 9 9>/tmp/lock && cd /tmp && mkdir a b && ln -s a c && ln -s b d && mv -T d c && readlink c",
        ),
        "b",
    );
    assert.ok(await run("--entrypoint=cat", certbot.tag, "/etc/ssl/certs/ca-certificates.crt"));
});

test("the images declare what the program relies on", async () => {
    const declared = async ({ tag }: Used) => (await new Docker().getImage(tag).inspect()).Config;
    const server = await declared(synapse);
    assert.deepEqual(server.Entrypoint, ["/start.py"]);
    assert.equal(server.Cmd, null);
    assert.equal(server.Volumes, null);
    assert.ok(Object.keys(server.ExposedPorts ?? {}).includes("8008/tcp"));
    const proxy = await declared(nginx);
    assert.deepEqual(proxy.Cmd, ["nginx", "-g", "daemon off;"]);
    assert.equal((proxy as { StopSignal?: string }).StopSignal, "SIGQUIT");
});

test("the versions inside are those of the tags", async () => {
    const read = "import importlib.metadata; print(importlib.metadata.version('matrix-synapse'))";
    const inside = await succeed("run", "--rm", "--entrypoint=python", synapse.tag, "-c", read);
    assert.equal(inside, synapse.version);
    assert.match(
        (await docker("run", "--rm", nginx.tag, "nginx", "-v")).stderr,
        new RegExp(`nginx/${nginx.version}$`),
    );
});

test("no certificate of the building machine is trusted in an image", equivalent(synapse), async () => {
    const installed =
        "cat /usr/share/ca-certificates/mozilla/*.crt | sort -u | wc -l; sort -u /etc/ssl/certs/ca-certificates.crt | wc -l";
    for (const { tag } of [synapse, nginx, restic]) {
        const [package_, trusted] = (
            await succeed("run", "--rm", "--entrypoint=sh", tag, "-c", installed)
        ).split("\n");
        assert.equal(trusted, package_);
        assert.equal(
            await succeed("run", "--rm", "--entrypoint=sh", tag, "-c", "ls -d /build 2>/dev/null || true"),
            "",
        );
    }
});
