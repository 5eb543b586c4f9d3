import assert from "node:assert/strict";
import { test } from "node:test";
import { some } from "../../support/some.ts";
import { COMMAND, commandsOf, OWN_LABELS, registered } from "./looks.ts";
import { dockerHost, ephemeral, everyRun, production, runs } from "./runs.ts";

test("every Docker object goes to the stack's own engine", () => {
    for (const { registrations } of everyRun) {
        for (const { type, name, provider } of registrations) {
            if (type.startsWith("docker:"))
                assert.match(
                    provider,
                    /pulumi:providers:docker::homeserver-docker::homeserver-docker-id$/,
                    name,
                );
        }
    }
});

test("provider and docker client speak to the same engine", () => {
    assert.equal(registered(production, "docker").inputs.host, dockerHost);
    for (const { inputs } of some(commandsOf(production))) {
        assert.equal((inputs.environment as Record<string, string>).DOCKER_HOST, dockerHost);
    }
    assert.equal("host" in registered(runs.none, "docker").inputs, false);
    for (const { inputs } of some(commandsOf(runs.none))) {
        // A context chosen with `docker context use` is unknown to the provider.
        assert.equal((inputs.environment as Record<string, string>).DOCKER_CONTEXT, "default");
        assert.equal("DOCKER_HOST" in (inputs.environment as Record<string, string>), false);
    }
});

test("the deployment's id is made before anything else, once, and outlives all but a throw-away", () => {
    const { inputs, hooks, protect } = registered(runs.acme, "deployment");
    // Nothing that could ever change: every label would change with it.
    assert.deepEqual(Object.keys(inputs).sort(), ["addPreviousOutputInEnv", "create", "logging", "update"]);
    assert.equal(inputs.create, "exec sh components/docker/deployment.sh");
    assert.equal(inputs.update, inputs.create);
    assert.equal(inputs.addPreviousOutputInEnv, true);
    assert.deepEqual(hooks.beforeCreate, ["gate"]);
    assert.deepEqual([protect, registered(ephemeral, "deployment").protect], [true, false]);
    for (const { registrations } of everyRun) {
        // One question to the engine, which makes nothing, may come in between.
        const made = registrations.filter(({ name }) => name !== "network-ipv6-guard");
        const order = made.map(({ type }) => type);
        assert.deepEqual(order.filter((type) => !type.startsWith("synapse:")).slice(0, 2), [
            COMMAND,
            "pulumi:providers:docker",
        ]);
    }
    assert.ok(registered(runs.none, "docker").dependencies.includes("deployment"));
});

test("volumes with data say whose they are, and are not adopted from others without a word", () => {
    for (const [run, name] of [
        [runs.none, "synapse-data-volume"],
        [runs["local-ca"], "certificates-ca"],
        [runs.acme, "certificates-letsencrypt"],
    ] as const) {
        const volume = registered(run, name);
        assert.deepEqual(volume.inputs.labels, OWN_LABELS);
        assert.ok(volume.ignoreChanges.includes("labels"));
        assert.deepEqual(volume.hooks.beforeCreate, ["sweep"]);
    }
});

test("whatever an interrupted update may leave behind carries the stack's label and is swept away", () => {
    for (const run of everyRun) {
        for (const resource of run.registrations) {
            if (!/:(Container|Network)$/.test(resource.type)) continue;
            assert.deepEqual(resource.inputs.labels, OWN_LABELS);
            const guards = resource.name === "network-ipv6" ? ["network-ipv6-guard"] : [];
            const beforeCreate = [...guards, "sweep"];
            assert.deepEqual(resource.hooks, { beforeCreate, beforeUpdate: [], others: [] });
            assert.equal(resource.deleteBeforeReplace, true, resource.name);
        }
    }
});
