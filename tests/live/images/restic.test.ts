import assert from "node:assert/strict";
import { test } from "node:test";
import Docker from "dockerode";
import { REFUSED_BY_BUSYBOX } from "../../support/busybox.ts";
import { docker, HARDENED, succeed, used } from "../../support/image-commands.ts";

// What the program relies on in restic's official image, and in the equivalent where that stands in.

const restic = used("restic");
const HARD = ["--rm", "--network=none", ...HARDENED];
const shell = (script: string) =>
    succeed(
        "run",
        ...HARD,
        "--user=999:999",
        "--tmpfs=/tmp",
        "--entrypoint=/bin/sh",
        restic.tag,
        "-euc",
        script,
    );

test("restic is what the image runs, hardened and at any priority", async () => {
    const { Config } = await new Docker().getImage(restic.tag).inspect();
    assert.deepEqual(Config.Entrypoint, ["/entrypoint.sh"]);
    assert.equal(Config.Cmd, null);
    assert.equal(Config.Volumes, null);
    assert.equal(Config.User, "");
    const version = new RegExp(`^restic ${restic.version.replaceAll(".", "\\.")} `);
    assert.match(await succeed("run", ...HARD, restic.tag, "version"), version);
    const low = ["--env=NICE=19", "--env=IONICE_CLASS=2", "--env=IONICE_PRIORITY=7"];
    assert.match(await succeed("run", ...HARD, ...low, restic.tag, "version"), version);
    const refused = await docker("run", ...HARD, "--env=NICE=none", restic.tag, "version");
    assert.notEqual(refused.code, 0);
});

test("whichever user runs it, with a home and a place for the repository, it backs up and restores", async () => {
    const restored = await shell(`
        export HOME=/tmp RESTIC_PASSWORD=x RESTIC_REPOSITORY=/tmp/repository
        restic init --quiet
        echo kept >/tmp/file
        restic backup --quiet /tmp/file
        rm /tmp/file
        restic snapshots --json | jq length
        restic restore --quiet latest --target / >/dev/null
        cat /tmp/file`);
    assert.equal(restored, "1\nkept");
});

test("its shell and tools are busybox's, with jq and an ssh client beside them and no more", async () => {
    for (const tool of ["jq", "ssh", "sftp", "ssh-keyscan", "flock", "ionice", "sha256sum"])
        await shell(`command -v ${tool}`);
    for (const tool of ["apt-get", "bash", "curl", "openssl", "perl", "pg_dump", "psql", "python3"])
        await shell(`! command -v ${tool}`);
    for (const refused of REFUSED_BY_BUSYBOX) await shell(`! ${refused} 2>/dev/null`);
    await shell("flock -n 9 9>/tmp/lock");
    await shell("test -s /etc/ssl/certs/ca-certificates.crt && test -e /usr/share/zoneinfo/Europe/Berlin");
    // ssh wants a name for its user: a repository by sftp needs one in /etc/passwd.
    await shell("! ssh -V 2>/dev/null");
});
