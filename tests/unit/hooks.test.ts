import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, beforeEach, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { dockerClient } from "../../components/docker/client.ts";
import { engineVersion, loopbackWarningOf } from "../../components/docker/engine-version.ts";
import { ipv6RefusalOf, uniqueLocalSubnet } from "../../components/docker/network.ts";
import { gate } from "../../components/docker/ownership.ts";
import { stackOn } from "../../components/docker/stack.ts";
import { permanenceGuard } from "../../components/synapse/guard.ts";
import { fakeEngine } from "../support/engine.ts";
import { some } from "../support/some.ts";

await fakeEngine("test", () => ({ stdout: "0123456789abcdef" }));

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

const OWN = "0123456789abcdef";
const OTHER = "fedcba9876543210";

interface Thing {
    readonly name?: string;
    /** Docker's labels, without their common prefix. */
    readonly labels?: Readonly<Record<string, string>>;
}

/** A docker client that writes down what it is asked, and says that these stand on the Docker host. */
function fakeDocker(things: readonly Thing[]): void {
    const client = join(directory, "docker");
    const inspected = things.map(({ name = "leftover", labels = {} }) =>
        JSON.stringify({
            name,
            labels: Object.fromEntries(
                Object.entries(labels).map(([key, value]) => [`synapse-docker.${key}`, value]),
            ),
            since: "2026-01-02T03:04:05Z",
            status: "running",
        }),
    );
    writeFileSync(join(directory, "inspected"), inspected.map((line) => `${line}\n`).join(""));
    writeFileSync(
        client,
        `#!/bin/sh
echo "$DOCKER_HOST $*" >>'${log}'
case "$*" in
    *Containers*) echo 'one two ' ;;
    *inspect*) [ -s '${directory}/inspected' ] || { echo 'Error: No such object' >&2; exit 1; }; cat '${directory}/inspected' ;;
    'container ls'*) [ ! -s '${directory}/inspected' ] || echo id ;;
esac
`,
    );
    chmodSync(client, 0o755);
}

beforeEach(() => rmSync(log, { force: true }));
process.env.PATH = `${directory}${delimiter}${process.env.PATH}`;
delete process.env.DOCKER_HOST;

const args = { prefix: "synapse-test", takeOver: [], ephemeral: true };
const stack = stackOn("first", args, {});

/** What the docker client was asked to change. */
function changes(): string[] {
    const lines = existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
    return lines.filter((line) => !/ inspect | ls /.test(line)).map((line) => line.trim());
}

async function sweep(type: string, { sweep: hooks } = stack): Promise<string[]> {
    const labels = [
        { label: "synapse-docker.stack", value: "synapse/test" },
        { label: "synapse-docker.deployment", value: OWN },
    ];
    await call(hooks.beforeCreate?.[0], { type, newInputs: { name: "leftover", labels } });
    return changes();
}

const CONTAINER = "docker:index/container:Container";
const NETWORK = "docker:index/network:Network";
const VOLUME = "docker:index/volume:Volume";

test("a container that an interrupted update left is stopped politely and removed", async () => {
    fakeDocker([{ labels: { deployment: OWN } }]);
    assert.deepEqual(await sweep(CONTAINER), [
        "container stop -t 60 leftover",
        "container rm --force leftover",
    ]);
});

test("so is a network, once no container is on it any more", async () => {
    fakeDocker([{ labels: { deployment: OWN } }]);
    assert.deepEqual(await sweep(NETWORK), [
        "network disconnect --force leftover one",
        "network disconnect --force leftover two",
        "network rm leftover",
    ]);
});

test("what another deployment of the same stack made is refused by its id and its age, and left alone", async () => {
    fakeDocker([{ labels: { stack: "synapse/test", deployment: OTHER } }]);
    for (const [type, kind] of [
        [CONTAINER, "container"],
        [NETWORK, "network"],
        [VOLUME, "volume"],
    ] as const) {
        await assert.rejects(sweep(type), (error: Error) => {
            assert.match(
                error.message,
                new RegExp(`${kind} leftover, of deployment ${OTHER}, there since 2026`),
            );
            assert.match(error.message, /, running\n/);
            assert.ok(error.message.includes(`pulumi config set --path synapse:takeOver[0] ${OTHER}`));
            return pulumi.RunError.isInstance(error);
        });
    }
    assert.deepEqual(changes(), []);
});

test("what this program did not make is refused, whatever may be taken over", async () => {
    fakeDocker([{ labels: { stack: "synapse/test" } }]);
    await assert.rejects(
        sweep(CONTAINER, taking),
        /not made by this program[\s\S]*Remove it, or choose another/,
    );
    fakeDocker([{}]);
    await assert.rejects(sweep(NETWORK, taking), /not made by this program/);
    assert.deepEqual(changes(), []);
});

const taking = stackOn("taking", { ...args, takeOver: [OTHER] }, {});

test("what may be taken over goes like the own, but a volume stays with its data", async () => {
    fakeDocker([{ labels: { deployment: OTHER } }]);
    assert.equal((await sweep(CONTAINER, taking)).length, 2);
    rmSync(log);
    assert.deepEqual(await sweep(VOLUME, taking), []);
});

test("a volume that a person made is adopted, with what they restored to it", async () => {
    fakeDocker([{}]);
    assert.deepEqual(await sweep(VOLUME), []);
});

test("a name that is free needs nothing", async () => {
    fakeDocker([]);
    assert.deepEqual(await sweep(CONTAINER), []);
});

test("where nobody can look, nothing is made", async () => {
    writeFileSync(join(directory, "docker"), "#!/bin/sh\necho 'permission denied' >&2; exit 1\n");
    await assert.rejects(
        sweep(CONTAINER),
        /cannot see what stands on the Docker host: [\s\S]*permission denied/,
    );
});

test("the sweep looks at the engine that the stack is on", async () => {
    fakeDocker([{ labels: { deployment: OWN } }]);
    const remote = stackOn("remote", { ...args, dockerHost: "ssh://deploy@docker.example.org" }, {});
    for (const line of some(await sweep(NETWORK, remote)))
        assert.match(line, /^ssh:\/\/deploy@docker\.example\.org network /);
});

test("a deployment that begins where another one of its name stands is refused whole", async () => {
    const client = dockerClient({});
    const ownership = { stack: "synapse/test", prefix: "synapse-test", takeOver: [], client };
    const labels = { name: "synapse-test", deployment: OTHER };
    fakeDocker([
        { name: "/synapse-test", labels },
        { name: "/synapse-test-nginx", labels },
    ]);
    await assert.rejects(
        async () => gate(ownership)({ urn: "", id: "", name: "", type: "" }),
        /container synapse-test, of [\s\S]*container synapse-test-nginx, of [\s\S]*takeOver[\s\S]*Nothing was touched/,
    );
    assert.deepEqual(changes(), []);
    await gate({ ...ownership, takeOver: [OTHER] })({ urn: "", id: "", name: "", type: "" });
    assert.deepEqual(changes(), [
        "container stop -t 60 synapse-test-nginx",
        "container rm --force synapse-test-nginx",
        "container stop -t 60 synapse-test",
        "container rm --force synapse-test",
    ]);
});

// --- What can never change ----------------------------------------------------------------------------------------

const inputs = (serverName: string) => ({ environment: { SERVER_NAME: serverName, OWNER: "991:991" } });
const [guard] = permanenceGuard("data").beforeUpdate ?? [];

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

// --- What an engine is too old for --------------------------------------------------------------------------------

test("an engine that gives IPv6 clients one address is refused, unless its owner says that it does not", () => {
    for (const [version, ip6tables, refused] of [
        [20, false, true],
        [26, false, true],
        [27, false, false],
        [29, false, false],
        [20, true, false],
    ] as const) {
        const refusal = ipv6RefusalOf(version, ip6tables);
        assert.equal(refusal !== undefined, refused, String(version));
        if (refused)
            assert.match(refusal ?? "", /lock everybody out\. Nothing was touched\. .*synapse:ip6tables/);
    }
});

test("a stack's IPv6 subnet is always the same, and another stack's is another", () => {
    assert.equal(uniqueLocalSubnet("synapse"), uniqueLocalSubnet("synapse"));
    assert.notEqual(uniqueLocalSubnet("synapse"), uniqueLocalSubnet("synapse-dev"));
    assert.match(uniqueLocalSubnet("synapse"), /^fd[0-9a-f]{2}(:[0-9a-f]{4}){3}::\/64$/);
});

test("an engine before 28 is said to let the network segment reach the loopback address", () => {
    assert.match(loopbackWarningOf(27) ?? "", /Docker 27 lets .*ports\.synapse to off/);
    assert.equal(loopbackWarningOf(28), undefined);
});

test("an engine's version is what the docker client says, and none where nobody answers", async () => {
    const client = join(directory, "docker");
    writeFileSync(client, "#!/bin/sh\necho 20.10.24+dfsg1\n");
    chmodSync(client, 0o755);
    assert.equal(await engineVersion({}), 20);
    writeFileSync(client, "#!/bin/sh\nexit 1\n");
    assert.equal(await engineVersion({}), undefined);
});
