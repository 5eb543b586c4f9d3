import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { serverAway } from "../../../components/docker/away.ts";
import { script } from "../../../components/docker/script.ts";

/** What is done beside Pulumi before the data is copied to another major, with a docker client that writes it down. */

const AWAY = script(new URL("../../../components/postgres/", import.meta.url).href, "upgrade-away.sh");
const CLIENT = `#!/bin/sh
echo "$*" >>"$STAGE/asked"
case "$*" in
    *Entrypoint*) cat "$STAGE/entrypoint" ;;
    "container inspect "*) [ "\${3:-}" != "" ] ;;
esac
`;

let stage: string;
beforeEach(() => {
    stage = mkdtempSync(join(tmpdir(), "away-"));
    writeFileSync(join(stage, "docker"), CLIENT, { mode: 0o755 });
});
afterEach(() => rmSync(stage, { recursive: true }));

/** Its exit code, what the docker client was to do, and what was left to what comes after it. */
function run(checked: string, entrypoint: string, task: string) {
    writeFileSync(join(stage, "entrypoint"), entrypoint);
    const before = `SERVER=chat\n${AWAY}\n${serverAway("to copy its data")}`;
    const { status, stderr } = spawnSync(
        "sh",
        ["-eufc", 'eval "$BEFORE"; env | grep ^PATIENCE >"$STAGE/left"; eval "$TASK"'],
        {
            env: {
                PATH: `${stage}:${process.env.PATH ?? ""}`,
                STAGE: stage,
                BEFORE: before,
                TASK: task,
                CHECKED: checked,
                POSTGRES: "chat-postgres",
                MAINTENANCE: "/announce/maintenance",
                PATIENCE: "300",
            },
            encoding: "utf8",
        },
    );
    const text = (file: string) =>
        existsSync(join(stage, file)) ? readFileSync(join(stage, file), "utf8") : "";
    const done = text("asked")
        .split("\n")
        .filter((line) => /^(start|stop|exec)/.test(line));
    return { status, stderr, done, left: text("left").trim() };
}

const OLD = '["postgres","-D","/var/lib/postgresql/data/15/docker"]';
const NEW = '["postgres","-D","/var/lib/postgresql/18/docker"]';
const STOPPED = ["start chat-postgres", "exec chat touch /announce/maintenance", "stop -t 60 chat"];

for (const checked of ["ready", "given-up 18"])
    test(`when nothing is to be copied (${checked}), nobody is stopped and nothing is run`, () => {
        const { status, done, left } = run(checked, OLD, "exit 3");
        assert.deepEqual([status, done, left], [0, [], ""]);
    });

test("the server is stopped for the copy and stays so, and the old PostgreSQL runs", () => {
    const { status, done, left, stderr } = run("upgrade 15", OLD, "true");
    assert.deepEqual([status, done, left], [0, STOPPED, "PATIENCE=300"]);
    assert.match(stderr, /^Stopping chat to copy its data\.$/m);
});

test("when the copy fails the server is started again", () => {
    const { status, done } = run("upgrade 15", OLD, "exit 3");
    assert.deepEqual([status, done], [3, [...STOPPED, "start chat"]]);
});

for (const [which, entrypoint] of [
    ["the new one is there already", NEW],
    ["none is there", ""],
] as const)
    test(`when of PostgreSQL's containers ${which}, nobody is stopped, and nobody is waited for`, () => {
        const { status, done, left } = run("upgrade 15", entrypoint, "true");
        assert.deepEqual([status, done, left], [0, [], "PATIENCE=0"]);
    });
