import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { docker, ended } from "../fixtures/embedded.ts";
import { prefix, server, stack, stackObjects } from "./stack.ts";

test("a container that does not become healthy fails the run, and the next run replaces it", async () => {
    const sick = { run: "echo not today; exec sleep infinity", health: "echo sick; exit 1" };
    const failed = await stack.up(sick);
    assert.equal(failed.code, 1);
    assert.match(
        failed.printed,
        /not healthy after 5 s; its health check said: sick. It wrote last:\nnot today/,
    );
    const before = await server();
    const again = await stack.up(sick);
    assert.equal(again.code, 1);
    assert.notEqual(await server(), before);
    assert.equal((await stack.up()).code, 0);
});

test("a container that exits fails the run without waiting for the time to run out", async () => {
    const { code, printed } = await stack.up({ run: "echo broken; exit 3" });
    assert.equal(code, 1);
    assert.match(printed, /it exited with code 3. It wrote last:\nbroken/);
});

test("a container that was stopped or removed by hand comes back", async () => {
    await stack.up();
    await docker("kill", `${prefix}-server`);
    assert.equal((await stack.up()).changes.updated, 1);
    await docker("rm", "--force", `${prefix}-server`);
    assert.equal((await stack.up()).changes.created, 1);
});

test("killed at any moment, the next run converges", async () => {
    for (const milliseconds of [1000, 1250, 1500, 1750, 2000, 2500]) {
        const child = stack.start({ mode: `killed after ${milliseconds}` });
        setTimeout(() => child.kill("SIGKILL"), milliseconds);
        await ended(child);
    }
    const { code, printed } = await stack.up();
    assert.equal(code, 0, printed);
    assert.match(await docker("exec", `${prefix}-server`, "env"), /MODE=plain/);
    assert.deepEqual(
        (await stackObjects()).filter((name) => name.includes("-new-")),
        [],
    );
    assert.equal((await stack.up()).changes.same, 6);
});

test("an interrupted run stops, says so by its exit code, and converges next time", async () => {
    const child = stack.start({ slow: "30" });
    const outcome = ended(child);
    setTimeout(() => child.kill("SIGINT"), 2500);
    const started = Date.now();
    assert.equal((await outcome).code, 130);
    assert.ok(Date.now() - started < 10_000);
    assert.ok(!(await stackObjects()).includes(`${prefix}-server`));
    assert.equal((await stack.up()).code, 0);
});

test("two runs of one stack do not get into each other's way", async () => {
    const child = stack.start({ slow: "4" });
    const first = ended(child);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const second = await stack.run("up", "--config", "{}");
    assert.equal(second.code, 1);
    assert.match(second.printed, /another run is at work on stack .* \(process \d+\)/);
    assert.equal((await first).code, 0);
    assert.ok(!existsSync(stack.stateFile.replace(".json", ".lock")));
});
