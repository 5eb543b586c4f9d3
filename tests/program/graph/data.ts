import assert from "node:assert/strict";
import { test } from "node:test";
import { some } from "../../support/some.ts";
import { everythingBefore, OWN_LABELS, ofType, registered } from "./looks.ts";
import { ephemeral, everyRun, type Registration, runs, secretive } from "./runs.ts";

const kept = ({ protect, retainOnDelete }: Registration) => ({ protect, retainOnDelete });

test("the data volume survives replacement and destroy", () => {
    for (const run of Object.values(runs)) {
        const volume = registered(run, "synapse-data-volume");
        assert.deepEqual(kept(volume), { protect: true, retainOnDelete: true });
        assert.deepEqual(volume.ignoreChanges, ["labels", "driver", "driverOpts"]);
        assert.deepEqual(volume.inputs, { name: "synapse-test-data", labels: OWN_LABELS });
    }
});

test("another server name needs another data volume, which its protection refuses in preview", () => {
    const volume = registered(runs.files, "synapse-data-volume");
    assert.equal(volume.replacementTrigger, "example.org");
    assert.equal(volume.deleteBeforeReplace, true);
});

test("another server name is refused, but for a throw-away", () => {
    assert.deepEqual(registered(runs.files, "synapse-data-generation").hooks.beforeUpdate, [
        "synapse-data-permanence",
        "synapse-data-rotation",
    ]);
    assert.deepEqual(registered(ephemeral, "synapse-data-generation").hooks.beforeUpdate, [
        "synapse-data-rotation",
    ]);
});

test("a private CA that people trust survives too", () => {
    assert.deepEqual(kept(registered(runs["local-ca"], "certificates-ca")), {
        protect: true,
        retainOnDelete: true,
    });
});

test("certbot's account and certificates survive too: made again each time, they run into rate limits", () => {
    const volume = registered(runs.acme, "certificates-letsencrypt");
    assert.deepEqual(kept(volume), { protect: true, retainOnDelete: true });
    assert.equal(volume.inputs.name, "synapse-test-letsencrypt");
});

test("of a throw-away stack nothing is kept", () => {
    for (const resource of [...ephemeral.registrations, ...secretive.registrations]) {
        assert.deepEqual(kept(resource), { protect: false, retainOnDelete: false }, resource.name);
    }
});

test("nothing but what cannot be made again is kept", () => {
    const names = Object.values(runs).flatMap(({ registrations }) =>
        registrations
            .filter(({ protect, retainOnDelete }) => protect || retainOnDelete)
            .map(({ name }) => name),
    );
    assert.deepEqual([...new Set(names)].sort(), [
        "certificates-ca",
        "certificates-letsencrypt",
        "deployment",
        "postgres-volume",
        "synapse-data-dumps",
        "synapse-data-volume",
    ]);
});

test("what is kept waits for no service: `destroy --exclude-protected` would leave that as well", () => {
    for (const run of Object.values(runs)) {
        const names = run.registrations.filter(({ protect }) => protect).map(({ name }) => name);
        for (const name of some(names)) {
            const before = [...everythingBefore(run, name)].filter((other) => other.endsWith("-container"));
            assert.deepEqual(before, [], name);
        }
    }
});

test("images stay on the Docker host: other stacks may use them", () => {
    for (const run of everyRun) {
        for (const { inputs } of some(ofType(run, "docker:index/remoteImage:RemoteImage"))) {
            assert.equal(inputs.keepLocally, true);
        }
    }
});

test("no private key and no secret is handed to Pulumi", () => {
    const secret = [
        /BEGIN [A-Z ]*PRIVATE KEY/,
        /(macaroon_secret_key|form_secret|registration_shared_secret|signing_key): /,
        /ed25519 a_\w+ [A-Za-z0-9+/]{43}/,
    ];
    for (const { registrations } of everyRun) {
        for (const { name, inputs } of registrations) {
            for (const pattern of secret) assert.doesNotMatch(JSON.stringify(inputs), pattern, name);
        }
    }
});

test("components hand their arguments to nobody: Pulumi would keep them in its state", () => {
    for (const { registrations } of everyRun) {
        for (const { type, inputs } of registrations) {
            if (type.startsWith("synapse:")) assert.deepEqual(inputs, {}, type);
        }
    }
});
