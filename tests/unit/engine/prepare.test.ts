import assert from "node:assert/strict";
import { test } from "node:test";
import { configOf } from "../../../engine/prepare.ts";

const args = {
    project: { root: "/nowhere", name: "it", defaults: { "it:level": "INFO", "docker:host": "unix:///x" } },
    stack: "dev",
    overrides: { images: { web: "web:1" }, token: "s3cret" },
};

test("without anything handed in the program gets the settings as they are, none of them secret", async () => {
    const config = {
        "it:level": "INFO",
        "docker:host": "unix:///x",
        "it:images": { web: "web:1" },
        "it:token": "s3cret",
    };
    assert.deepEqual(await configOf(args), { config, secretKeys: [] });
});

test("what is handed in sees the project's own settings, and its answers reach the program", async () => {
    const seen: unknown[] = [];
    const { config, secretKeys } = await configOf({
        ...args,
        secretKeys: (own) => {
            seen.push(own);
            return ["token"];
        },
        prepare: (own, isSecret) => {
            seen.push(own, isSecret("token"), isSecret("level"));
            return Promise.resolve({ images: { web: "web:2" } });
        },
    });
    const own = { level: "INFO", images: '{"web":"web:1"}', token: "s3cret" };
    assert.deepEqual(seen, [own, own, true, false]);
    assert.deepEqual(config["it:images"], { web: "web:2" });
    assert.deepEqual(secretKeys, ["it:token"]);
});

test("what preparing refuses ends the run", async () => {
    const prepare = () => Promise.reject(new Error("no registry answers"));
    await assert.rejects(configOf({ ...args, prepare }), /no registry answers/);
});
