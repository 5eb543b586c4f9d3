import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { layoutOf } from "../../components/postgres/layout.ts";
import { docker, images } from "../support/homeserver.ts";
import { eventually } from "../support/http.ts";
import { type Change, endedAt, PostgresPlace, type Variables } from "../support/postgres-place.ts";

/** The run that makes the database, ended at each of its steps: the next one makes it whole. */

const prefix = `synapse-test-volume-${randomBytes(3).toString("hex")}`;
const place = new PostgresPlace(prefix);
const { data, mount } = layoutOf(17);
const volumes = ["-v", `${prefix}-postgres:${mount}`, "-v", `${prefix}-database:/database`];
const initialize = (...[change, more]: [Change?, Variables?]) => place.initialize(17, change, more);

after(() => place.remove());

const password = () =>
    docker("run", "--rm", ...volumes, "--entrypoint=cat", images.postgres ?? "", `${mount}/password`);

const STEPS = [
    "if [ ! -s password ]",
    "sync .password",
    "mv .password password",
    'begin_cluster "$PWD',
    'initdb --pgdata="$new"',
    'pg_ctl --pgdata="$new" --wait --log',
    "# Over its input",
    "printf 'CREATE DATABASE",
    'pg_ctl --pgdata="$1" --wait --mode=fast stop',
    'sync -f "$1"',
    'mv "$MAJOR/new" "$MAJOR/docker"',
    'sync -f "$MAJOR"',
    'rm -f "$file.new"',
    'chmod 0400 "$file.new"',
    'chown "$owner" "$file.new"',
    'mv "$file.new" "$file"',
];

test("ended at any step, the next run makes the database whole", { timeout: 600_000 }, async () => {
    let known = "";
    for (const step of STEPS) {
        // The end of its first process takes everything else in a container with it, as a kill does.
        const { code, stderr } = await initialize(endedAt(step));
        assert.notEqual(code, 0, `${step} was not reached: ${stderr}`);
        if (known === "" && STEPS.indexOf(step) > STEPS.indexOf("mv .password password"))
            known = await password();
    }
    for (const time of ["first", "second"]) {
        const { code, stderr } = await initialize();
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

const otherMajor = (change: Change, more: Variables = {}) => initialize(change, { MAJOR: "16", ...more });
const posing: Change = (text) => text.replace('[ "$(postgres -V', 'true || [ "$(postgres -V');

test("data of another major, and an image of another, are refused", async () => {
    const other = await otherMajor((text) => text);
    assert.notEqual(other.code, 0);
    assert.match(
        other.stderr,
        /the image of PostgreSQL has postgres .* 17.*, and synapse:database\.version is 16/,
    );
    for (const UPGRADE of ["no", "yes"]) {
        const { code, stderr } = await otherMajor(posing, { UPGRADE });
        assert.notEqual(code, 0);
        assert.match(stderr, /nothing was touched: the data is in PostgreSQL 17, .* Set it back to 17/);
    }
    const newer = await initialize(posing, { MAJOR: "18" });
    assert.notEqual(newer.code, 0);
    assert.match(newer.stderr, /nothing was touched: the volume holds data of PostgreSQL 17, .* is 18/);
    assert.match(newer.stderr, /synapse:database\.upgrade true\. Else set the version back to 17/);
});

test("asked for, data of another major is to be copied, and nothing is done about it", async () => {
    const { code, stdout, stderr } = await initialize(posing, { MAJOR: "18", UPGRADE: "yes" });
    assert.deepEqual([code, stdout, stderr], [0, "upgrade 17", ""]);
    // And when it is not asked for any more, that is given up.
    assert.equal((await initialize()).stdout, "given-up 18");
    assert.equal((await initialize()).stdout, "ready");
});

test("data that is no copy of what is beside it is left alone", async () => {
    await place.shell(`mkdir -p ${mount}/15/docker && echo 15 >${mount}/15/docker/PG_VERSION`);
    const { code, stderr } = await initialize();
    assert.notEqual(code, 0);
    assert.match(stderr, /holds data of PostgreSQL 15 and of 17, and the one is no copy of the other/);
    assert.equal(await place.shell(`cat ${mount}/15/docker/PG_VERSION`), "15");
});
