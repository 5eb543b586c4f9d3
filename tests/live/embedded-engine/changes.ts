import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { docker } from "../fixtures/embedded.ts";
import { prefix, server, stack, stackObjects } from "./stack.ts";

test("a changed variable replaces the container alone", async () => {
    await stack.up();
    const before = await server();
    const { changes, code } = await stack.up({ mode: "fancy" });
    assert.deepEqual([code, changes.replaced, changes.same], [0, 1, 5]);
    assert.notEqual(await server(), before);
    assert.match(await docker("exec", `${prefix}-server`, "env"), /MODE=fancy/);
});

test("as with Pulumi, the old container is gone before the new one is made", async () => {
    await stack.up();
    const since = Math.floor(Date.now() / 1000);
    const run = await stack.up({ mode: "fancy" });
    assert.equal(run.code, 0, run.printed);
    const filter = [
        "--filter",
        "type=container",
        "--since",
        String(since),
        "--until",
        String(Date.now() / 1000),
    ];
    const events = await docker("events", ...filter, "--format", "{{.Action}} {{.Actor.Attributes.name}}");
    const order = events.split("\n").filter((event) => event.includes(`${prefix}-server`));
    const made = order.findIndex((event) => event.startsWith("create "));
    const gone = order.findIndex((event) => event.startsWith("destroy "));
    assert.ok(gone >= 0 && made > gone, order.join("\n"));
});

test("the program's hook is called before its resource is made, and what it refuses is not made", async () => {
    const { code, printed } = await stack.up({ refused: "no network today" });
    assert.equal(code, 1);
    assert.match(printed, /docker:index\/network:Network "network": no network today/);
    assert.deepEqual(
        (await stackObjects()).filter((name) => name === prefix || name.endsWith("-server")),
        [],
    );
    await stack.up();
    // It is there by now, so there is nothing to ask before.
    assert.equal((await stack.up({ refused: "no network today" })).code, 0);
});

test("a command's hook compares what it is given with what it had, but for secrets", async () => {
    await stack.up();
    const { printed } = await stack.up({ what: "two" });
    assert.match(printed, /hook: one, now two/);
    const again = await stack.up({ what: "two" });
    assert.doesNotMatch(again.printed, /hook:/);
});

test("more memory reaches the running container without replacing it", async () => {
    await stack.up();
    const before = await server();
    const { changes } = await stack.up({ memory: 96 });
    assert.deepEqual([changes.updated, changes.replaced], [1, 0]);
    assert.equal(await server(), before);
    const memory = await docker("inspect", "--format", "{{.HostConfig.Memory}}", `${prefix}-server`);
    assert.equal(memory, String(96 * 1024 * 1024));
});

test("a command runs again when its inputs change, and is given its previous output", async () => {
    await stack.up();
    const { outputs } = await stack.up({ what: "two" });
    assert.equal(outputs.prepared, "prepared two, before: prepared one, before: ");
    rmSync(stack.stateFile);
    const again = await stack.up({ what: "two" });
    assert.equal(again.outputs.prepared, "prepared two, before: ");
    assert.deepEqual([again.changes.created, again.changes.same], [1, 5]);
});

test("files get into a volume through a container that never starts", async () => {
    await stack.up();
    const script = "stat -c %a:%u:%g /files/text; cat /files/text";
    assert.equal(await docker("exec", `${prefix}-server`, "sh", "-c", script), "440:991:992\nfirst");
});

test("changed files come in a new volume, and the old one goes last", async () => {
    await stack.up();
    const before = await stackObjects();
    const { changes, printed } = await stack.up({ text: "second" });
    assert.deepEqual([changes.created, changes.replaced, changes.removed], [1, 2, 1], printed);
    assert.equal(await docker("exec", `${prefix}-server`, "cat", "/files/text"), "second");
    assert.equal((await stackObjects()).length, before.length);
});

test("what the program no longer names is removed, but only by a run that succeeds", async () => {
    await stack.up({ extra: true });
    const failed = await stack.up({ run: "exit 3" });
    assert.equal(failed.code, 1);
    assert.ok((await stackObjects()).includes(`${prefix}-extra`));
    const { changes } = await stack.up();
    assert.equal(changes.removed, 1);
    assert.ok(!(await stackObjects()).includes(`${prefix}-extra`));
});
