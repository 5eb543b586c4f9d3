import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";

type HookArgs = Pick<pulumi.ResourceHookArgs, "type" | "oldInputs" | "newInputs">;

/** Calls a hook as Pulumi's engine would. */
export async function call(hook: unknown, args: Partial<HookArgs>): Promise<void> {
    assert.ok(hook instanceof pulumi.ResourceHook);
    await hook.callback({ urn: "", id: "", name: "", type: "", ...args });
}
