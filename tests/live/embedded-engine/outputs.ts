import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { test } from "node:test";
import { docker } from "../fixtures/embedded.ts";
import { prefix, server, stack } from "./stack.ts";

test("the first run creates everything, and the second finds nothing to do", async () => {
    const first = await stack.up();
    assert.equal(first.code, 0, first.printed);
    assert.deepEqual(first.changes, { created: 6, updated: 0, replaced: 0, removed: 0, same: 0 });
    assert.equal(first.outputs.prepared, "prepared one, before: ");

    const before = await server();
    const second = await stack.up();
    assert.deepEqual(second.changes, { created: 0, updated: 0, replaced: 0, removed: 0, same: 6 });
    assert.match(second.printed, /Nothing to do: 6 unchanged/);
    assert.deepEqual(second.outputs, first.outputs);
    assert.equal(await server(), before);
});

test("a port left out is picked by Docker, and is an output", async () => {
    const { outputs } = await stack.up();
    const published = await docker("port", `${prefix}-server`);
    const [web, other] = outputs.ports as number[];
    assert.match(published, new RegExp(`80/tcp -> 127.0.0.1:${web}`));
    assert.match(published, new RegExp(`81/tcp -> 127.0.0.1:${other}`));
});

test("secrets are neither printed nor recorded", async () => {
    const { outputs, printed } = await stack.up({ run: "echo $TOKEN; exit 3" });
    assert.match(printed, /It wrote last:\n\[secret\]/);
    assert.doesNotMatch(printed, /s3cret/);
    assert.deepEqual(outputs, {});
    const healthy = await stack.up();
    assert.equal(healthy.outputs.token, "[secret]");
    assert.match((await stack.run("output", "token")).printed, /^\[secret\]\n$/);
    assert.equal(statSync(stack.stateFile).mode & 0o777, 0o600);
    assert.doesNotMatch(readFileSync(stack.stateFile, "utf8"), /s3cret/);
});
