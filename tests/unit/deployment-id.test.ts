import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const script = join(import.meta.dirname, "../../components/docker/deployment.sh");
const id = (previous?: string) =>
    execFileSync("sh", [script], {
        encoding: "utf8",
        env: {
            PATH: process.env.PATH,
            ...(previous === undefined ? {} : { PULUMI_COMMAND_STDOUT: previous }),
        },
    });

test("a deployment's id is made at random, and the same ever after", () => {
    const made = [id(), id()];
    for (const one of made) assert.match(one, /^[0-9a-f]{16}\n$/);
    assert.notEqual(made[0], made[1]);
    assert.equal(id("0123456789abcdef"), "0123456789abcdef\n");
});
