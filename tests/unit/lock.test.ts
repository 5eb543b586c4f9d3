import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const LOCK = readFileSync(
    fileURLToPath(new URL("../../components/certificates/lock.sh", import.meta.url)),
    "utf8",
);
const directory = mkdtempSync(join(tmpdir(), "lock-test-"));
after(() => rmSync(directory, { recursive: true }));

function run(script: string): Promise<{ readonly code: number; readonly printed: string }> {
    return new Promise((resolve) => {
        execFile("sh", ["-euc", LOCK + script], { cwd: directory }, (error, stdout, stderr) =>
            resolve({ code: Number(error?.code ?? 0), printed: stdout + stderr }),
        );
    });
}

test("of two runs one waits until the other ends", async () => {
    const turn = (name: string) =>
        run(`lock ./turns; echo ${name} in >>log; sleep 0.3; echo ${name} out >>log`);
    await Promise.all([turn("a"), turn("b"), turn("c")]);
    const log = readFileSync(join(directory, "log"), "utf8").trim().split("\n");
    const turns = [0, 2, 4].map((line) => log.slice(line, line + 2).map((entry) => entry.split(" ")));
    for (const [[one, entered], [other, left]] of turns as [[string, string], [string, string]][]) {
        assert.deepEqual([entered, left], ["in", "out"]);
        assert.equal(one, other);
    }
    assert.equal(log.length, 6);
});

test("who has waited for five minutes gives up and says where to look", async () => {
    const waiting = run("lock ./held; sleep 30 & echo $! >pid; touch ready; wait $! || true");
    try {
        const { code, printed } = await run(`
            until [ -e ready ]; do sleep 0.05; done
            sleep() { seconds=$((\${seconds:-0} + $1)); }
            trap 'echo "waited $seconds s"' EXIT
            lock ./held
            echo never`);
        assert.equal(code, 1);
        assert.match(printed, /waited 300 s/);
        assert.match(printed, /Another run has held the lock for five minutes; see: docker ps/);
        assert.doesNotMatch(printed, /never/);
    } finally {
        await run("kill $(cat pid) 2>/dev/null || true");
    }
    await waiting;
});
