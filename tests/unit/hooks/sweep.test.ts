import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { dockerClient } from "../../../components/docker/client.ts";
import { gate } from "../../../components/docker/ownership.ts";
import { stackOn } from "../../../components/docker/stack.ts";
import { fakeEngine } from "../../support/engine.ts";
import { FakeDocker } from "../../support/fake-docker.ts";
import { call } from "../../support/hooks.ts";
import { some } from "../../support/some.ts";

await fakeEngine("test", () => ({ stdout: "0123456789abcdef" }));
const docker = new FakeDocker();
beforeEach(() => docker.forget());
after(() => docker.remove());

const OWN = "0123456789abcdef";
const OTHER = "fedcba9876543210";

const args = { prefix: "synapse-test", takeOver: [], ephemeral: true };
const stack = stackOn("first", args, {});
const taking = stackOn("taking", { ...args, takeOver: [OTHER] }, {});

async function sweep(type: string, { sweep: hooks } = stack): Promise<string[]> {
    const labels = [
        { label: "synapse.stack", value: "synapse/test" },
        { label: "synapse.deployment", value: OWN },
    ];
    await call(hooks.beforeCreate?.[0], { type, newInputs: { name: "leftover", labels } });
    return docker.changes();
}

const CONTAINER = "docker:index/container:Container";
const NETWORK = "docker:index/network:Network";
const VOLUME = "docker:index/volume:Volume";

test("a container that an interrupted update left is stopped politely and removed", async () => {
    docker.has([{ labels: { deployment: OWN } }]);
    assert.deepEqual(await sweep(CONTAINER), [
        "container stop -t 60 leftover",
        "container rm --force leftover",
    ]);
});

test("so is a network, once no container is on it any more", async () => {
    docker.has([{ labels: { deployment: OWN } }]);
    assert.deepEqual(await sweep(NETWORK), [
        "network disconnect --force leftover one",
        "network disconnect --force leftover two",
        "network rm leftover",
    ]);
});

test("what another deployment of the same stack made is refused by its id and its age, and left alone", async () => {
    docker.has([{ labels: { stack: "synapse/test", deployment: OTHER } }]);
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
            assert.ok(error.message.includes(`pulumi config set --path 'synapse:takeOver[0]' ${OTHER}`));
            return pulumi.RunError.isInstance(error);
        });
    }
    assert.deepEqual(docker.changes(), []);
});

test("what this program did not make is refused, whatever may be taken over", async () => {
    docker.has([{ labels: { stack: "synapse/test" } }]);
    await assert.rejects(
        sweep(CONTAINER, taking),
        /not made by this program[\s\S]*Remove it, or choose another/,
    );
    docker.has([{}]);
    await assert.rejects(sweep(NETWORK, taking), /not made by this program/);
    assert.deepEqual(docker.changes(), []);
});

test("what may be taken over goes like the own, but a volume stays with its data", async () => {
    docker.has([{ labels: { deployment: OTHER } }]);
    assert.equal((await sweep(CONTAINER, taking)).length, 2);
    docker.forget();
    assert.deepEqual(await sweep(VOLUME, taking), []);
});

test("a volume that a person made is adopted, with what they restored to it", async () => {
    docker.has([{}]);
    assert.deepEqual(await sweep(VOLUME), []);
});

test("a name that is free needs nothing", async () => {
    docker.has([]);
    assert.deepEqual(await sweep(CONTAINER), []);
});

test("where nobody can look, nothing is made", async () => {
    docker.runs("echo 'permission denied' >&2; exit 1");
    await assert.rejects(
        sweep(CONTAINER),
        /cannot see what stands on the Docker host: [\s\S]*permission denied/,
    );
});

test("the sweep looks at the engine that the stack is on", async () => {
    docker.has([{ labels: { deployment: OWN } }]);
    const remote = stackOn("remote", { ...args, dockerHost: "ssh://deploy@docker.example.org" }, {});
    for (const line of some(await sweep(NETWORK, remote)))
        assert.match(line, /^ssh:\/\/deploy@docker\.example\.org network /);
});

test("a deployment that begins where another one of its name stands is refused whole", async () => {
    const client = dockerClient({});
    const ownership = { stack: "synapse/test", prefix: "synapse-test", takeOver: [], client };
    const labels = { name: "synapse-test", deployment: OTHER };
    docker.has([
        { name: "/synapse-test", labels },
        { name: "/synapse-test-nginx", labels },
    ]);
    await assert.rejects(
        async () => gate(ownership)({ urn: "", id: "", name: "", type: "" }),
        /container synapse-test, of [\s\S]*container synapse-test-nginx, of [\s\S]*takeOver[\s\S]*Nothing was touched/,
    );
    assert.deepEqual(docker.changes(), []);
    await gate({ ...ownership, takeOver: [OTHER] })({ urn: "", id: "", name: "", type: "" });
    assert.deepEqual(docker.changes(), [
        "container stop -t 60 synapse-test-nginx",
        "container rm --force synapse-test-nginx",
        "container stop -t 60 synapse-test",
        "container rm --force synapse-test",
    ]);
});
