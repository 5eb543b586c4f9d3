import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { permanenceGuard } from "../../../components/synapse/guard.ts";
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
