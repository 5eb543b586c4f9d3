import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { afterEach, beforeEach, test } from "node:test";
import { docker, EmbeddedStack, ended, TEST_IMAGE } from "./fixtures/embedded.ts";

let stack: EmbeddedStack;
let prefix: string;
beforeEach(() => {
    stack = new EmbeddedStack("small");
    prefix = `engtest-${stack.name}`;
});
afterEach(() => stack.destroy());

const server = () => docker("inspect", "--format", "{{.Id}}", `${prefix}-server`);
const stackObjects = async () => {
    const all = await Promise.all([
        docker("ps", "-a", "--format", "{{.Names}}"),
        docker("network", "ls", "--format", "{{.Name}}"),
        docker("volume", "ls", "--format", "{{.Name}}"),
    ]);
    return all.flatMap((names) => names.split("\n")).filter((name) => name.startsWith(prefix));
};

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

test("down keeps protected data until told otherwise", async () => {
    await stack.up();
    const down = await stack.run("down");
    assert.equal(down.code, 0);
    assert.match(down.printed, new RegExp(`Kept, as they hold data: ${prefix}-data `));
    assert.deepEqual(await stackObjects(), [`${prefix}-data`]);
    assert.equal((await stack.up()).code, 0);
    await stack.run("down", "--volumes");
    assert.deepEqual(await stackObjects(), []);
});

test("a changed replacement trigger never costs protected data", async () => {
    await stack.up({ trigger: "a" });
    const { code, printed } = await stack.up({ trigger: "b" });
    assert.equal(code, 1);
    assert.match(printed, /would be replaced, and its data lost, but it is protected/);
});

test("a volume that was there before is adopted with its data", async () => {
    await docker("volume", "create", `${prefix}-data`);
    try {
        assert.equal((await stack.up()).changes.same, 1);
        await stack.run("down", "--volumes");
        assert.deepEqual(await stackObjects(), [`${prefix}-data`]);
    } finally {
        await stack.destroy();
        await docker("volume", "rm", `${prefix}-data`);
    }
});

test("somebody else's container of the same name is not touched", async () => {
    await docker("create", "--name", `${prefix}-server`, TEST_IMAGE, "true");
    try {
        const before = await server();
        const { code, printed } = await stack.up();
        assert.equal(code, 1);
        assert.match(printed, /was not made by this engine/);
        assert.equal(await server(), before);
    } finally {
        await docker("rm", `${prefix}-server`);
    }
});

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
