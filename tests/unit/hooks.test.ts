import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, beforeEach, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { stackOn } from "../../components/docker/stack.ts";
import { permanenceGuard } from "../../components/synapse/guard.ts";
import { fakeEngine } from "../support/engine.ts";
import { some } from "../support/some.ts";

await fakeEngine("test");

type HookArgs = Pick<pulumi.ResourceHookArgs, "type" | "oldInputs" | "newInputs">;

/** Calls a hook as Pulumi's engine would. */
async function call(hook: unknown, args: Partial<HookArgs>): Promise<void> {
    assert.ok(hook instanceof pulumi.ResourceHook);
    await hook.callback({ urn: "", id: "", name: "", type: "", ...args });
}

// --- The sweep ----------------------------------------------------------------------------------------------------

const directory = mkdtempSync(join(tmpdir(), "hooks-test-"));
after(() => rmSync(directory, { recursive: true }));
const log = join(directory, "log");

/** A docker client that writes down what it is asked, and says that everything carries this label. */
function fakeDocker(label: string | undefined): void {
    const client = join(directory, "docker");
    const answer = label === undefined ? "exit 1" : `echo '${label}'`;
    writeFileSync(
        client,
        `#!/bin/sh\necho "$DOCKER_HOST $*" >>'${log}'\ncase "$*" in *Containers*) echo 'one two ' ;; *inspect*) ${answer} ;; esac\n`,
    );
    chmodSync(client, 0o755);
}

beforeEach(() => rmSync(log, { force: true }));
process.env.PATH = `${directory}${delimiter}${process.env.PATH}`;
delete process.env.DOCKER_HOST;

const stack = stackOn(undefined);
const remote = stackOn("ssh://deploy@docker.example.org");

/** What the docker client was asked beside what is there. */
async function sweep(type: string, { sweep: hooks } = stack): Promise<string[]> {
    await call(hooks.beforeCreate?.[0], { type, newInputs: { name: "leftover" } });
    const lines = existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
    return lines.filter((line) => !line.includes(" inspect ")).map((line) => line.trim());
}

const CONTAINER = "docker:index/container:Container";
const NETWORK = "docker:index/network:Network";

test("a container that an interrupted update left is stopped politely and removed", async () => {
    fakeDocker("synapse/test");
    assert.deepEqual(await sweep(CONTAINER), [
        "container stop -t 60 leftover",
        "container rm --force leftover",
    ]);
});

test("so is a network, once no container is on it any more", async () => {
    fakeDocker("synapse/test");
    assert.deepEqual(await sweep(NETWORK), [
        "network disconnect --force leftover one",
        "network disconnect --force leftover two",
        "network rm leftover",
    ]);
});

test("what belongs to another stack or to nobody is left alone", async () => {
    for (const label of ["synapse/prod", "other/test", "", "<no value>"]) {
        fakeDocker(label);
        assert.deepEqual(await sweep(CONTAINER), []);
        assert.deepEqual(await sweep(NETWORK), []);
    }
});

test("a name that is free needs nothing", async () => {
    fakeDocker(undefined);
    assert.deepEqual(await sweep(CONTAINER), []);
});

test("the sweep looks at the engine that the stack is on", async () => {
    fakeDocker("synapse/test");
    for (const line of some(await sweep(NETWORK, remote)))
        assert.match(line, /^ssh:\/\/deploy@docker\.example\.org network /);
});

// --- What can never change ----------------------------------------------------------------------------------------

const inputs = (serverName: string) => ({ environment: { SERVER_NAME: serverName, OWNER: "991:991" } });
const [guard] = permanenceGuard().beforeUpdate ?? [];

test("another server name is refused in preview already", async () => {
    assert.ok(guard instanceof pulumi.ResourceHook);
    assert.equal(guard.opts?.onDryRun, true);
    await assert.rejects(
        () => call(guard, { oldInputs: inputs("old.org"), newInputs: inputs("new.org") }),
        (error) =>
            pulumi.RunError.isInstance(error) &&
            /synapse:serverName is old\.org for ever/.test(error.message),
    );
});

test("whatever else changes is not refused, nor what cannot be compared", async () => {
    const oldInputs = inputs("old.org");
    await call(guard, { oldInputs, newInputs: { environment: { SERVER_NAME: "old.org", OWNER: "1:1" } } });
    await call(guard, { oldInputs: {}, newInputs: oldInputs });
    await call(guard, { newInputs: oldInputs });
});
