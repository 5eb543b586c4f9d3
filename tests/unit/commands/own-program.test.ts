import assert from "node:assert/strict";
import { test } from "node:test";
import { ownProgram } from "../../../commands/own-program.ts";

const { prepare, secretKeys } = ownProgram("local", (line) => assert.fail(`nothing to say, but: ${line}`));

test("a fault in the settings comes to light before an image is asked for", async () => {
    // Whoever asked here would be told that nobody answers.
    process.env.DOCKER_HOST = "tcp://127.0.0.1:1";
    await assert.rejects(
        prepare({ serverName: "a b" }, () => false),
        /synapse:serverName/,
    );
});

test("settings given in the clear count as secret where the program wants secrets", async () => {
    const config = { serverName: "a b", secretConfig: '{"turn_shared_secret":"s3cret"}' };
    assert.deepEqual(secretKeys(config), ["secretConfig"]);
    const refused = prepare(config, (key) => secretKeys(config).includes(key));
    await assert.rejects(refused, (error: Error) => !error.message.includes("secretConfig"));
});
