import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb.js";
import type { Values } from "./inputs.ts";
import { Refusal } from "./refusal.ts";
import { mapSecrets } from "./secrets.ts";

/** What the program wants to be called for. */
export interface Hooks {
    /** For the moment before the resource is made, as the new half of a replacement too. Later calls do nothing. */
    readonly beforeCreate: () => Promise<void>;
    /** For the moment before the resource is changed; undefined when there is nothing to call. */
    readonly beforeUpdate: ((oldInputs: Values) => Promise<void>) | undefined;
}

/** The hooks that the program has registered, by their names. */
export type RegisteredHooks = ReadonlyMap<string, pulumi.ResourceHook>;

/** The hooks that one resource names. */
export function hooksOf(
    urn: string,
    request: RegisterResourceRequest,
    inputs: Values,
    registered: RegisteredHooks,
): Hooks {
    const { beforeCreateList = [], beforeUpdateList = [], ...others } = request.getHooks()?.toObject() ?? {};
    const unsupported = Object.entries(others).filter(([, names]) => names.length > 0);
    if (unsupported.length > 0) {
        const kinds = unsupported.map(([kind]) => kind.replace(/List$/, "")).join(", ");
        throw new Refusal(`the embedded engine does not support ${kinds} hooks; use \`pulumi up\``);
    }
    const call = async (names: readonly string[], oldInputs?: Values) => {
        for (const name of names) {
            const hook = registered.get(name);
            if (hook === undefined) throw new Refusal(`the program has not registered the hook ${name}`);
            await hook.callback({
                urn,
                id: "",
                name: request.getName(),
                type: request.getType(),
                // As Pulumi's engine hands them over: a secret is an output.
                newInputs: mapSecrets(inputs, (secret) => pulumi.secret(secret)) as Record<string, unknown>,
                ...(oldInputs === undefined ? {} : { oldInputs }),
            });
        }
    };
    let created: Promise<void> | undefined;
    return {
        beforeCreate: () => (created ??= call(beforeCreateList)),
        beforeUpdate:
            beforeUpdateList.length === 0 ? undefined : (oldInputs) => call(beforeUpdateList, oldInputs),
    };
}

/** Stands in for the server through which Pulumi's engine calls a program back. */
export async function replaceCallbacks(hooks: Map<string, pulumi.ResourceHook>): Promise<void> {
    const { getStore } = (await import("@pulumi/pulumi/runtime/state.js")) as unknown as State;
    const done = () => Promise.resolve();
    const refuse = (what: string) => () => {
        throw new Refusal(`the embedded engine does not support ${what}; use \`pulumi up\``);
    };
    getStore().callbacks = {
        registerResourceHook: (hook: pulumi.ResourceHook) => {
            if (hook.opts?.ignoreErrors === true) refuse("hooks whose errors are ignored")();
            hooks.set(hook.name, hook);
            return Promise.resolve();
        },
        registerErrorHook: refuse("error hooks"),
        registerTransform: refuse("transforms"),
        registerStackTransform: refuse("transforms"),
        registerStackInvokeTransform: refuse("transforms"),
        awaitStackRegistrations: done,
        shutdown: done,
    };
}

/** What is used here of the SDK's state, which Pulumi publishes no type for. */
interface State {
    getStore: () => { callbacks: unknown };
}
