import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const project = fileURLToPath(new URL("../..", import.meta.url));

/** Runs a CommonJS script as the Pulumi CLI runs the program. Returns what it prints. */
async function underPreload(script: string, ...options: readonly string[]): Promise<string> {
    const preload = ["--import", "./scripts/quick-sdk.js"];
    const { stdout } = await promisify(execFile)(process.execPath, [...options, ...preload, "-e", script], {
        cwd: project,
    });
    return stdout.trim();
}

const compilers = "Object.keys(require.cache).filter((file) => /node_modules.typescript./.test(file)).length";

test("the Pulumi SDK is loaded without a compiler", async () => {
    assert.equal(await underPreload(`require("@pulumi/pulumi"); console.log(${compilers})`), "0");
});

test("it is loaded when the SDK turns a function into text", async () => {
    const script = `
        const { runtime } = require("@pulumi/pulumi");
        const answer = 42;
        runtime.serializeFunction(() => answer).then(({ text }) => console.log(${compilers} > 0, text));`;
    assert.match(await underPreload(script), /^true .*answer: 42/s);
});

test("a Node.js that does not run TypeScript is told what is needed, and where one is", async () => {
    await assert.rejects(underPreload("", "--no-experimental-strip-types"), {
        code: 32,
        stderr: /^Node\.js 22\.18 or newer is needed, this is v\d+\.\S+ \(\/.+\)\..* export PATH=.*\n$/,
    });
});
