import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import Docker from "dockerode";
import { docker, HARDENED, succeed, until, used } from "../../support/image-commands.ts";
import { OLDER_MAJOR, olderPostgres } from "../../support/older-postgres.ts";

// What the program relies on in PostgreSQL's official image, and in the equivalent where that stands in.

const postgres = used("postgres");
const MAJOR = /^\d+/.exec(postgres.version)?.[0] ?? "";

/** A volume for one test, and how a container has it, which goes before the volume. */
function volume(t: TestContext, name = `postgres-test-${randomBytes(3).toString("hex")}`): string[] {
    t.after(async () => {
        await docker("rm", "--force", "--volumes", name);
        await docker("volume", "rm", "--force", name);
    });
    const own = "--tmpfs=/run/postgresql:uid=999,gid=999";
    return [
        "--network=none",
        ...HARDENED,
        "--user=999:999",
        own,
        `--volume=${name}:/var/lib/postgresql/data`,
    ];
}

/** The image as it is started, but ended after a minute: a server that should not have come up would run for ever. */
const STARTED = ["--entrypoint=timeout", postgres.tag, "60", "docker-entrypoint.sh", "postgres"];

const WORDS = [
    "--env=POSTGRES_PASSWORD=x",
    "--env=POSTGRES_USER=synapse",
    "--env=POSTGRES_INITDB_ARGS=--encoding=UTF8 --locale=C",
];

test("it declares its entrypoint, its signal and its volume", async () => {
    const { Config } = await new Docker().getImage(postgres.tag).inspect();
    assert.deepEqual(Config.Entrypoint, ["docker-entrypoint.sh"]);
    assert.deepEqual(Config.Cmd, ["postgres"]);
    assert.equal((Config as { StopSignal?: string }).StopSignal, "SIGINT");
    assert.deepEqual(Object.keys(Config.Volumes ?? {}), ["/var/lib/postgresql/data"]);
    const env = new Map(Config.Env?.map((word) => word.split("=", 2) as [string, string]));
    assert.equal(env.get("PG_MAJOR"), MAJOR);
    assert.equal(env.get("PGDATA"), "/var/lib/postgresql/data");
    assert.equal(env.get("LANG"), "en_US.utf8");
});

test("it has PostgreSQL's programs of one major, and no more tools than the official one", async () => {
    const shell = (script: string) =>
        succeed("run", "--rm", "--network=none", postgres.tag, "sh", "-c", script);
    for (const program of ["postgres", "initdb", "psql", "pg_dump", "pg_restore", "pg_isready", "pg_upgrade"])
        assert.match(await shell(`${program} --version`), new RegExp(` ${MAJOR}\\.`));
    for (const tool of ["bash", "gosu", "openssl", "xz", "zstd"]) await shell(`command -v ${tool}`);
    for (const tool of ["curl", "python3", "wget"]) await shell(`! command -v ${tool}`);
    assert.equal(await shell("id -u postgres; id -g postgres"), "999\n999");
    assert.equal(
        await shell('stat -c "%a %U" /var/lib/postgresql "$PGDATA"'),
        "1777 postgres\n1777 postgres",
    );
    // Nobody's certificates: a database with `sslrootcert=system` is one that no CA vouches for.
    assert.equal(await shell("ls /etc/ssl/certs/ca-certificates.crt 2>/dev/null || echo none"), "none");
});

test("hardened as 999 it makes the database, stops by SIGINT with a client connected, and starts again", async (t) => {
    const name = `postgres-test-${randomBytes(3).toString("hex")}`;
    const options = volume(t, name);
    await succeed("run", "--detach", `--name=${name}`, ...options, ...WORDS, postgres.tag);
    await until(name, "pg_isready", "--host=127.0.0.1", "--quiet");
    const ask = (sql: string) => succeed("exec", name, "psql", "--username=synapse", "-Atc", sql);
    assert.equal(
        await ask(
            "SELECT datcollate, pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'synapse'",
        ),
        "C|UTF8",
    );
    // From other containers only with the password.
    assert.match(
        await succeed("exec", name, "cat", "/var/lib/postgresql/data/pg_hba.conf"),
        /^host all all all scram-sha-256$/m,
    );
    await ask("CREATE TABLE kept (x int)");
    await succeed("exec", "--detach", name, "psql", "--username=synapse", "-c", "SELECT pg_sleep(300)");

    const started = Date.now();
    await succeed("stop", "--time=60", name);
    assert.ok(Date.now() - started < 10_000);
    assert.equal(await succeed("inspect", "--format={{.State.ExitCode}}", name), "0");
    await succeed("start", name);
    await until(name, "pg_isready", "--host=127.0.0.1", "--quiet");
    assert.equal(await ask("SELECT count(*) FROM kept"), "0");
    assert.match((await docker("logs", name)).stdout, /Skipping initialization/);
});

test("without a password it makes nothing", async (t) => {
    const options = volume(t);
    const { code, stderr } = await docker("run", "--rm", ...options, ...STARTED);
    assert.equal(code, 1);
    assert.match(stderr, /superuser password is not specified/);
    assert.equal(
        await succeed("run", "--rm", ...options, postgres.tag, "ls", "/var/lib/postgresql/data"),
        "",
    );
});

test("an initialisation that failed is taken for a database by the next start", async (t) => {
    const options = volume(t);
    const folder = mkdtempSync(join(tmpdir(), "postgres-test-"));
    t.after(() => rmSync(folder, { recursive: true }));
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, "fails.sql"), "SELECT nonsense;");
    const failing = `--volume=${folder}:/docker-entrypoint-initdb.d:ro`;
    assert.equal((await docker("run", "--rm", ...options, ...WORDS, failing, ...STARTED)).code, 3);
    const ensure = (name: string) => docker("run", "--rm", ...options, ...WORDS, postgres.tag, name);
    assert.match((await ensure("docker-ensure-initdb.sh")).stderr, /already initialized/);
    assert.equal((await ensure("docker-enforce-initdb.sh")).code, 1);
});

test("docker-ensure-initdb.sh makes the database and ends, in a folder of the volume as well", async (t) => {
    const place = "--env=PGDATA=/var/lib/postgresql/data/17/docker";
    const options = [...volume(t), place];
    await succeed("run", "--rm", ...options, ...WORDS, postgres.tag, "docker-ensure-initdb.sh");
    const folder = "/var/lib/postgresql/data/17/docker";
    const read = [
        "sh",
        "-c",
        `cat ${folder}/PG_VERSION; stat -c %a ${folder}; ls ${folder}/postmaster.pid 2>&1`,
    ];
    const [version, mode, ...rest] = (
        await docker("run", "--rm", ...options, postgres.tag, ...read)
    ).stdout.split("\n");
    assert.deepEqual([version, mode], [MAJOR, "700"]);
    assert.match(rest.join("\n"), /No such file/);
});

test("an older major's data is refused by this one, and the other way about", async (t) => {
    const older = await olderPostgres();
    const options = volume(t);
    await succeed("run", "--rm", ...options, ...WORDS, older, "docker-ensure-initdb.sh");
    assert.equal(
        await succeed("run", "--rm", ...options, older, "cat", "/var/lib/postgresql/data/PG_VERSION"),
        String(OLDER_MAJOR),
    );
    const { code, stdout, stderr } = await docker("run", "--rm", ...options, postgres.tag);
    assert.equal(code, 1);
    assert.match(
        stdout + stderr,
        new RegExp(`initialized by PostgreSQL version ${OLDER_MAJOR}, which is not`),
    );
});
