import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

/** The two sides of the pipe, with a dump of the test's own and a test in restic's place. */

const read = (file: string) =>
    readFileSync(new URL(`../../../components/backup/${file}`, import.meta.url), "utf8");
const DUMP = read("dump.sh");
const RECEIVE = read("receive.sh");
const PATIENCE = 3;
const whole = randomBytes(300_000).toString("hex");

let pipe = "";
const children: ChildProcess[] = [];

beforeEach(() => {
    pipe = mkdtempSync(join(tmpdir(), "pipe-"));
    writeFileSync(join(pipe, "whole"), whole);
});
afterEach(async () => {
    for (const child of children.splice(0)) killGroup(child);
    await sleep(50);
    rmSync(pipe, { recursive: true });
});

/** In a process group of its own, as in a container of its own. */
function shell(script: string, environment: Record<string, string> = {}): ChildProcess {
    const child = spawn("sh", ["-euc", script], {
        env: { PATH: process.env.PATH, PIPE: pipe, PATIENCE: String(PATIENCE), STALL: "5", ...environment },
        detached: true,
    });
    children.push(child);
    return child;
}

function killGroup({ pid }: ChildProcess): void {
    try {
        process.kill(-(pid ?? 0), "SIGKILL");
    } catch {
        // It has ended.
    }
}

const dumper = (dump: string) => shell(`dump() {\n${dump}\n}\n${DUMP}`);

interface Received {
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
}

function begin(id: string): { readonly child: ChildProcess; readonly ended: Promise<Received> } {
    const child = shell(RECEIVE, { RUN_ID: id });
    const streams = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
        child[name]?.on("data", (chunk) => (streams[name] += String(chunk)));
    const ended = new Promise<Received>((resolve) =>
        child.on("close", (code) => resolve({ code, ...streams })),
    );
    return { child, ended };
}

const receive = (id: string) => begin(id).ended;
const WHOLE = `cat "$pipe/whole" >"$1"`;
const SLOW = `exec sh -c 'head -c 200000 "$0"; sleep 1; tail -c +200001 "$0"' "$pipe/whole" >"$1"`;
const begun = (id: string) => existsSync(join(pipe, `${id}.dump`));

async function until(holds: () => boolean): Promise<void> {
    for (let tries = 0; !holds(); tries++) {
        assert.ok(tries < 400, "in time");
        await sleep(25);
    }
}

async function isWholeAgain(id: string): Promise<void> {
    const { code, stdout, stderr } = await receive(id);
    assert.equal(code, 0, stderr);
    assert.ok(stdout === whole);
}

describe("a dump comes through the pipe", () => {
    test("whole, several times, and leaves nothing behind but what is to be said", async () => {
        dumper(WHOLE);
        await isWholeAgain("one");
        await isWholeAgain("two");
        const left = readdirSync(pipe).filter((name) => /\.dump$|awaited|copy|^one/.test(name));
        assert.deepEqual(left, []);
    });

    test("from a container that starts after it was asked for", async () => {
        const asked = receive("early");
        await sleep(500);
        dumper(WHOLE);
        assert.equal((await asked).code, 0);
    });
});

describe("what is not whole does not count", () => {
    test("a dump that fails in its middle, with what it said", async () => {
        dumper(`head -c 1000 "$pipe/whole" >"$1"; echo "server closed the connection" >&2; exit 3`);
        const { code, stderr } = await receive("broken");
        assert.equal(code, 1);
        assert.match(stderr, /server closed the connection/);
        assert.match(stderr, /its dump ended with status 3/);
    });

    test("a dump that fails before it sends anything", async () => {
        dumper(`echo "no password" >&2; exit 2`);
        const { code, stderr } = await receive("unopened");
        assert.equal(code, 1);
        assert.match(stderr, /no password/);
    });

    test("one whose container is killed in its middle, and comes back at once", async () => {
        const first = dumper(SLOW);
        const { ended } = begin("killed");
        await until(() => begun("killed"));
        await sleep(300);
        killGroup(first);
        dumper(WHOLE);
        const { code, stdout } = await ended;
        assert.equal(code, 1);
        assert.ok(stdout.length < whole.length);
        await isWholeAgain("after");
    });

    test("one whose container is killed for good", async () => {
        const first = dumper(SLOW);
        const { ended } = begin("gone");
        await until(() => begun("gone"));
        await sleep(300);
        killGroup(first);
        const { code } = await ended;
        assert.equal(code, 1);
        dumper(WHOLE);
        await isWholeAgain("after");
    });

    test("one that nobody answers for", async () => {
        const { code, stderr } = await receive("nobody");
        assert.equal(code, 1);
        assert.match(stderr, /did not answer for 3 s/);
    });

    test("one that stands still", async () => {
        dumper(`exec sh -c 'head -c 1000 "$0"; exec sleep 60' "$pipe/whole" >"$1"`);
        const { code, stderr } = await receive("still");
        assert.equal(code, 1);
        assert.match(stderr, /nothing came for 5 s/);
    });
});

describe("whoever waits may go", () => {
    for (const [when, wait] of [
        ["before the dump begins", 0],
        ["in its middle", 600],
    ] as const) {
        test(`killed ${when}, and the next is served`, async () => {
            dumper(wait === 0 ? `sleep 1; cat "$pipe/whole" >"$1"` : SLOW);
            const { child, ended } = begin("left");
            await until(() => begun("left"));
            await sleep(wait);
            killGroup(child);
            await ended;
            await isWholeAgain("next");
        });
    }

    test("a dump that would begin for nobody is ended", async () => {
        const side = dumper(`exec sleep 60 >"$1"`);
        let said = "";
        side.stderr?.on("data", (chunk) => (said += String(chunk)));
        const { child } = begin("left");
        await until(() => begun("left"));
        killGroup(child);
        await until(() => said.includes("status 137"));
        assert.match(said, /Nobody waits any more for the dump left: it is ended/);
    });
});
