import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Registration } from "../../../engine/registration.ts";

const root = join(import.meta.dirname, "../../..");
const fake = join(import.meta.dirname, "fixtures/fake.ts");
let programs: string;
before(() => {
    const state = join(root, ".state"); // Inside the project, so that programs find the SDK.
    mkdirSync(state, { recursive: true, mode: 0o700 });
    programs = mkdtempSync(join(state, "engine-test-"));
});
after(() => rmSync(programs, { recursive: true }));

interface Seen {
    readonly events: readonly string[];
    readonly registered: readonly Registration[];
    readonly failures: readonly string[];
    readonly outputs: Readonly<Record<string, unknown>>;
    readonly stderr: string;
}

async function runProgram(source: string): Promise<Seen> {
    const file = join(programs, `${Math.random().toString(36).slice(2)}.ts`);
    const imports = 'import * as pulumi from "@pulumi/pulumi";\nimport * as docker from "@pulumi/docker";\n';
    writeFileSync(file, `${imports}${source}`);
    const args = [fake, file];
    return new Promise((resolve, reject) => {
        execFile(process.execPath, args, { cwd: root }, (error, stdout, stderr) => {
            if (stdout === "") reject(error ?? new Error(stderr));
            else resolve({ ...(JSON.parse(stdout) as Omit<Seen, "stderr">), stderr });
        });
    });
}

test("a resource waits for those it takes outputs from, and for those it names", async () => {
    const { events, failures } = await runProgram(`
        class Group extends pulumi.ComponentResource {
            constructor(name: string) {
                super("test:index:Group", name);
                new docker.Volume("inner", { name: "inner" }, { parent: this });
            }
        }
        const first = new docker.Volume("first", { name: "first" });
        new docker.Volume("second", { name: first.name });
        new docker.Volume("third", { name: "third" }, { dependsOn: new Group("group") });
    `);
    assert.deepEqual(failures, []);
    assert.ok(events.indexOf("end first") < events.indexOf("start second"));
    assert.ok(events.indexOf("end inner") < events.indexOf("start third"));
});

test("resources that do not need each other are made at the same time", async () => {
    const { events } = await runProgram(`
        new docker.Volume("a", { name: "a" });
        new docker.Volume("b", { name: "b" });
    `);
    assert.deepEqual(events.slice(0, 2).sort(), ["start a", "start b"]);
});

test("after a failure what is under way finishes, and nothing new starts", async () => {
    const { events, failures, stderr } = await runProgram(`
        const broken = new docker.Container("broken", { name: "broken", image: "broken", command: ["x"] });
        const slow = new docker.Container("slow", { name: "slow", image: "slow", destroyGraceSeconds: 200 });
        new docker.Volume("never", { name: slow.name });
        new docker.Volume("neither", { name: broken.name });
    `);
    assert.deepEqual(failures, ['docker:index/container:Container "broken": cannot be made: x']);
    assert.ok(events.includes("end slow"));
    assert.deepEqual(
        events.filter((event) => /ne(v|ith)er/.test(event)),
        [],
    );
    assert.equal(stderr, "");
});

test("a failure does not show a secret", async () => {
    const { failures } = await runProgram(`
        const token = pulumi.secret("s3cret-token");
        new docker.Container("broken", { name: "broken", image: "broken", command: ["--token", token] });
    `);
    assert.deepEqual(failures, [
        'docker:index/container:Container "broken": cannot be made: --token,[secret]',
    ]);
});

test("a RunError is reported by its message alone", async () => {
    const thrown = await runProgram(`throw new pulumi.RunError("serverName is missing");`);
    assert.deepEqual(thrown.failures, ["serverName is missing"]);
    const later = await runProgram(`
        const volume = new docker.Volume("volume", { name: "volume" });
        volume.id.apply(() => { throw new pulumi.RunError("wrong volume"); });
    `);
    assert.deepEqual(later.failures, ["wrong volume"]);
});

test("a value that never comes is an error, not an early end", async () => {
    const { failures } = await runProgram(`
        new docker.Volume("stuck", { name: pulumi.output(new Promise<string>(() => undefined)) });
    `);
    assert.deepEqual(failures, ["the program ended while it was waiting for a value that never came"]);
});

test("what the engine cannot do is refused", async () => {
    const { failures } = await runProgram(`docker.getNetworkOutput({ name: "bridge" });`);
    assert.match(failures.join(), /getNetwork.*functions and stack references are not supported/);
    const imported = await runProgram(`new docker.Volume("old", { name: "old" }, { import: "old" });`);
    assert.match(imported.failures.join(), /does not support import/);
    const transformed = await runProgram(
        `new docker.Volume("odd", { name: "odd" }, { transforms: [() => undefined] });`,
    );
    assert.match(transformed.failures.join(), /transforms/);
    const read = await runProgram(`docker.Volume.get("known", "known");`);
    assert.match(read.failures.join(), /reading an existing resource is not supported/);
});

test("a hook is called once, as Pulumi's engine would call it: with a secret as an output", async () => {
    const { failures, outputs } = await runProgram(`
        const calls: unknown[] = [];
        const told = (when: string) => new pulumi.ResourceHook(when, (args) => {
            const { urn, type, name, newInputs = {}, oldInputs } = args;
            const secret = pulumi.Output.isInstance(newInputs.driver);
            calls.push([when, urn.split("::").at(-1), type, name, newInputs.name, secret, oldInputs]);
        });
        const options = { hooks: { beforeCreate: [told("create")], beforeUpdate: [told("update")] } };
        const volume = new docker.Volume("data", { name: "d", driver: pulumi.secret("s3cret") }, options);
        export const seen = volume.id.apply(() => calls);
    `);
    assert.deepEqual(failures, []);
    const same = ["data", "docker:index/volume:Volume", "data", "d", true];
    assert.deepEqual(outputs.seen, [
        ["create", ...same, null],
        ["update", ...same, { name: "before" }],
    ]);
});

test("what a hook refuses is not made, for the hook's reason", async () => {
    const { events, failures } = await runProgram(`
        const never = new pulumi.ResourceHook("never", () => { throw new pulumi.RunError("not today"); });
        new docker.Volume("data", { name: "d" }, { hooks: { beforeCreate: [never] } });
    `);
    assert.deepEqual(failures, ['docker:index/volume:Volume "data": not today']);
    assert.deepEqual(events, ["start data"]);
});

test("a hook for another moment is refused", async () => {
    const { failures } = await runProgram(`
        const hook = new pulumi.ResourceHook("hook", () => undefined);
        new docker.Volume("data", { name: "d" }, { hooks: { afterCreate: [hook], beforeDelete: [hook] } });
    `);
    assert.match(
        failures.join(),
        /does not support (afterCreate, beforeDelete|beforeDelete, afterCreate) hooks/,
    );
});

test("two resources of one name are refused", async () => {
    const { failures } = await runProgram(`
        new docker.Volume("twin", { name: "one" });
        new docker.Volume("twin", { name: "two" });
    `);
    assert.match(failures.join(), /two resources have this type, name and parent/);
});

test("options, configuration and outputs come through", async () => {
    const { registered, outputs } = await runProgram(`
        class Group extends pulumi.ComponentResource {
            constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
                super("test:index:Group", name, {}, opts);
            }
        }
        const outer = new Group("outer");
        const data = new docker.Volume("data", { name: new pulumi.Config().require("greeting") }, {
            parent: new Group("inner", { parent: outer }),
            protect: true,
            replacementTrigger: "a",
            additionalSecretOutputs: ["driver"],
            hooks: { beforeCreate: [new pulumi.ResourceHook("hook", () => undefined)] },
        });
        export const name = data.name;
        export const preview = pulumi.runtime.isDryRun();
    `);
    const [data] = registered;
    assert.equal(
        data?.urn,
        "urn:pulumi:fake::test::test:index:Group$test:index:Group$docker:index/volume:Volume::data",
    );
    assert.deepEqual(
        [data.protect, data.replacementTrigger, data.additionalSecretOutputs],
        [true, "a", ["driver"]],
    );
    assert.deepEqual(outputs, { name: "hello", preview: false });
});
