import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { permanenceGuard, rotationGuard } from "../../../components/synapse/guard.ts";
import { fakeEngine } from "../../support/engine.ts";
import { call } from "../../support/hooks.ts";

await fakeEngine("test", () => ({ stdout: "0123456789abcdef" }));

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

const [rotation] = rotationGuard("data").beforeUpdate ?? [];
const rotated = (number: string | undefined, serverName = "old.org") => ({
    environment: { SERVER_NAME: serverName, ...(number === undefined ? {} : { KEY_ROTATION: number }) },
});

test("the signing key's number goes up by one, or stays; anything else is refused in preview already", async () => {
    assert.ok(rotation instanceof pulumi.ResourceHook);
    assert.equal(rotation.opts?.onDryRun, true);
    const change = (before: string | undefined, after: string) =>
        call(rotation, { oldInputs: rotated(before), newInputs: rotated(after) });
    for (const [before, after] of [
        ["0", "0"],
        ["0", "1"],
        ["9", "10"],
        // Of a deployment before there was such a number.
        [undefined, "0"],
        [undefined, "1"],
    ] as const)
        await change(before, after);
    for (const [before, after] of [
        ["1", "0"],
        ["10", "9"],
        ["0", "2"],
        [undefined, "2"],
    ] as const) {
        await assert.rejects(
            () => change(before, after),
            (error) =>
                pulumi.RunError.isInstance(error) &&
                /signingKey\.rotation is \d+, and cannot/.test(error.message),
        );
    }
});

test("a throw-away that becomes another server may have any number", async () => {
    await call(rotation, { oldInputs: rotated("3"), newInputs: rotated("0", "new.org") });
    await call(rotation, { newInputs: rotated("3") });
});
