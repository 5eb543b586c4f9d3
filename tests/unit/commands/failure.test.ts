import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";

const FAILURE = new URL("../../../commands/failure.ts", import.meta.url).href;

/** A command that prints more than a pipe holds, and ends with this code a while later. */
function program(code: number): string {
    return `import { carryOut } from ${JSON.stringify(FAILURE)};
        import { setTimeout } from "node:timers/promises";
        await carryOut({ usage: "", run: async () => {
            for (let line = 0; line < 20_000; line++) process.stdout.write("a line\\n");
            await setTimeout(200);
            return ${code};
        } });`;
}

/** Runs it in a shell, its output where `into` says. */
function ended(code: number, into: string) {
    const script = `{ node -e "$PROGRAM"; echo "code $?" >&2; } ${into}`;
    const env = { ...process.env, PROGRAM: program(code) };
    return spawnSync("sh", ["-c", script], { env, encoding: "utf8" }).stderr;
}

describe("a command whose output", () => {
    for (const code of [0, 1, 3]) {
        test(`nobody reads any more ends quietly with its own code, ${code}`, () => {
            assert.equal(ended(code, "| head -n 1 >/dev/null"), `code ${code}\n`);
        });
    }

    const skip = existsSync("/dev/full") ? false : "FULL DISKS NOT TRIED: there is no /dev/full";
    test("cannot be written says so once, and fails", { skip }, () => {
        assert.match(ended(0, ">/dev/full"), /^The output could not be written: .*ENOSPC.*\ncode 1\n$/);
    });
});
