import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { CommandError } from "../../../commands/failure.ts";
import { confirm } from "../../../commands/user/confirm.ts";

/** Somebody at a terminal who types this, and ends the input with it. */
async function asked(typed: string, isTTY = true): Promise<string> {
    const input = Object.assign(new PassThrough(), { isTTY });
    const output = new PassThrough();
    input.end(typed);
    await confirm("Deactivate @bob:example.org?", { input, output });
    return String(output.read() ?? "");
}

for (const answer of ["y\n", "yes\n", "Y\n"]) {
    test(`${JSON.stringify(answer)} is a yes`, async () => {
        assert.match(await asked(answer), /^Deactivate @bob:example\.org\? \[y\/N\] /);
    });
}

for (const answer of ["n\n", "\n", "", "yesterday\n"]) {
    test(`${JSON.stringify(answer)} is none, and nothing is done`, async () => {
        await assert.rejects(
            asked(answer),
            (error) => error instanceof CommandError && error.message === "Nothing was done.",
        );
    });
}

test("without a terminal nothing is asked", async () => {
    assert.equal(await asked("n\n", false), "");
});
