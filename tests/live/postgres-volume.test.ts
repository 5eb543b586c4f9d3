import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { layoutOf } from "../../components/postgres/layout.ts";
import { docker, images } from "../support/homeserver.ts";
import { eventually } from "../support/http.ts";

/** The run that makes the database, ended at each of its steps: the next one makes it whole. */

const SCRIPT = readFileSync(new URL("../../components/postgres/initialize.sh", import.meta.url), "utf8");
const { mount, data } = layoutOf(17);
const prefix = `synapse-test-volume-${randomBytes(3).toString("hex")}`;
const volumes = ["-v", `${prefix}-postgres:${mount}`, "-v", `${prefix}-database:/database`];

after(async () => {
    await docker("rm", "--force", `${prefix}-server`);
    await docker("volume", "rm", "--force", `${prefix}-postgres`, `${prefix}-database`);
});

/** As its task runs it. */
async function initialize(script: string, more: Readonly<Record<string, string>> = {}) {
    const environment = {
        MOUNT: mount,
        MAJOR: "17",
        OWNER: "999:999",
        READERS: "postgres=999:999\nsynapse=991:991",
        DBNAME: "synapse",
        ROLE: "synapse",
        ...more,
    };
    const confined = [
        "--read-only",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--tmpfs=/tmp:size=64m",
    ];
    const capabilities = ["CHOWN", "SETUID", "SETGID"].map((name) => `--cap-add=${name}`);
    return promisify(execFile)("docker", [
        ...["run", "--rm", "--network=none", "--user=0:0", ...confined, ...capabilities, ...volumes],
        ...Object.entries(environment).flatMap((variable) => ["-e", variable.join("=")]),
        ...["--entrypoint=/bin/sh", images.postgres ?? "", "-euc", script],
    ]).then(
        ({ stderr }) => ({ code: 0, stderr }),
        ({ code, stderr }: { code: number; stderr: string }) => ({ code, stderr }),
    );
}

const password = () =>
    docker("run", "--rm", ...volumes, "--entrypoint=cat", images.postgres ?? "", `${mount}/password`);

const STEPS = [
    "if [ ! -s password ]",
    "sync .password",
    "mv .password password",
    'mkdir -p "$MAJOR"',
    'initdb --pgdata="$new"',
    'pg_ctl --pgdata="$new" --wait --log',
    "# Over its input",
    "printf 'CREATE DATABASE",
    'pg_ctl --pgdata="$new" --wait --mode=fast stop',
    'sync -f "$new"',
    'mv "$new" "$MAJOR/docker"',
    'sync -f "$MAJOR"',
    'rm -f "$file.new"',
    'chmod 0400 "$file.new"',
    'chown "$owner" "$file.new"',
    'mv "$file.new" "$file"',
];

test("ended at any step, the next run makes the database whole", { timeout: 600_000 }, async () => {
    let known = "";
    for (const step of STEPS) {
        assert.equal(SCRIPT.split(step).length, 2, `${step} stands there once`);
        // The end of its first process takes everything else in a container with it, as a kill does.
        const { code, stderr } = await initialize(SCRIPT.replace(step, `exit 137; ${step}`));
        assert.notEqual(code, 0, `${step} was not reached: ${stderr}`);
        if (known === "" && STEPS.indexOf(step) > STEPS.indexOf("mv .password password"))
            known = await password();
    }
    for (const time of ["first", "second"]) {
        const { code, stderr } = await initialize(SCRIPT);
        assert.equal(code, 0, `the ${time} whole run: ${stderr}`);
    }
    assert.match(known, /^[A-Za-z0-9]{40,}$/);
    assert.equal(await password(), known, "the password that the role has");

    const server = ["--name", `${prefix}-server`, "--user", "999:999", "--network", "none", ...volumes];
    await docker("run", "-d", ...server, "--entrypoint", "postgres", images.postgres ?? "", "-D", data);
    const connection = "host=127.0.0.1 user=synapse dbname=synapse passfile=/database/postgres.pgpass";
    // Of the folder's own pg_hba.conf, which the server's takes the place of.
    const query =
        "SELECT current_user, pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = 'synapse'";
    await docker(
        "exec",
        "--user",
        "999:999",
        `${prefix}-server`,
        "sh",
        "-c",
        `echo 'host all all 127.0.0.1/32 scram-sha-256' >${data}/pg_hba.conf`,
    );
    const found = await eventually(
        60,
        async () => {
            await docker("exec", `${prefix}-server`, "pg_ctl", "reload", "-D", data);
            return docker("exec", `${prefix}-server`, "psql", "-w", connection, "-qtAc", query);
        },
        (row) => row !== "",
    );
    assert.equal(found, "synapse|UTF8|C");
    await docker("rm", "--force", `${prefix}-server`);
});

test("data of another major, and an image of another, are refused", async () => {
    const other = await initialize(SCRIPT, { MAJOR: "16" });
    assert.notEqual(other.code, 0);
    assert.match(
        other.stderr,
        /the image of PostgreSQL has postgres .* 17.*, and synapse:database\.version is 16/,
    );
    const posing = await initialize(SCRIPT.replace('[ "$(postgres -V', 'true || [ "$(postgres -V'), {
        MAJOR: "16",
    });
    assert.notEqual(posing.code, 0);
    assert.match(
        posing.stderr,
        /nothing was touched: the volume holds data of PostgreSQL 17, .* Set it back to 17/,
    );
});
