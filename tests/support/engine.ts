import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest, RegisterResourceResponse } from "@pulumi/pulumi/proto/resource_pb.js";

/** One resource as the program asked the engine for it. Other resources stand in it by their names. */
export interface Registration {
    readonly type: string;
    readonly name: string;
    readonly parent: string;
    readonly inputs: Record<string, unknown>;
    readonly protect: boolean;
    readonly retainOnDelete: boolean;
    readonly deleteBeforeReplace: boolean;
    readonly replaceOnChanges: readonly string[];
    readonly ignoreChanges: readonly string[];
    readonly additionalSecretOutputs: readonly string[];
    readonly replacementTrigger: unknown;
    readonly dependencies: readonly string[];
    readonly provider: string;
    /** Names of the hooks: those before a creation, and so on. */
    readonly hooks: Readonly<Record<"beforeCreate" | "beforeUpdate" | "others", readonly string[]>>;
}

/** What of the SDK's mock monitor is used here; Pulumi publishes no type for it. */
interface Monitor {
    registerResource: (
        request: RegisterResourceRequest,
        reply: (error: Error | null, response?: RegisterResourceResponse) => void,
    ) => Promise<void>;
}

/** The inputs of every function that the program has called. */
export const calls: Record<string, unknown>[] = [];

/**
 * Replaces Pulumi's engine for this process, and records what is registered with it.
 *
 * @param outputs what a provider would add to the inputs of a resource.
 */
export async function fakeEngine(
    stack = "test",
    outputs: (resource: pulumi.runtime.MockResourceArgs) => Record<string, unknown> = () => ({}),
): Promise<readonly Registration[]> {
    const seen: Registration[] = [];
    await pulumi.runtime.setMocks(
        {
            newResource: (resource) => ({
                id: `${resource.name}-id`,
                state: { ...(resource.inputs as Record<string, unknown>), ...outputs(resource) },
            }),
            call: ({ token, inputs }) => {
                // What is called is called in every preview too.
                if (token !== "command:local:run") throw new Error(`${token} is called`);
                calls.push(inputs as Record<string, unknown>);
                const stdout = JSON.stringify({
                    holds: [],
                    failures: [],
                    warnings: [],
                    certificateExpiry: null,
                });
                return { stdout, stderr: "" };
            },
        },
        "synapse",
        stack,
        false,
    );
    // The mocks are not told of resource options, so read them off the request itself.
    const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
    const register = monitor.registerResource.bind(monitor);
    monitor.registerResource = (request, reply) => {
        seen.push(registration(request));
        return register(request, reply);
    };
    await acceptHooks();
    return seen;
}

function registration(request: RegisterResourceRequest): Registration {
    const hooks = request.getHooks()?.toObject();
    const { beforeCreateList = [], beforeUpdateList = [], ...others } = hooks ?? {};
    return {
        type: request.getType(),
        name: request.getName(),
        parent: nameOf(request.getParent()),
        inputs: request.getObject()?.toJavaScript() ?? {},
        protect: request.getProtect() ?? false,
        retainOnDelete: request.getRetainondelete() ?? false,
        deleteBeforeReplace: request.getDeletebeforereplace(),
        replaceOnChanges: request.getReplaceonchangesList(),
        ignoreChanges: request.getIgnorechangesList(),
        additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
        replacementTrigger: request.getReplacementTrigger()?.toJavaScript() ?? undefined,
        dependencies: request.getDependenciesList().map(nameOf).sort(),
        provider: request.getProvider(),
        hooks: {
            beforeCreate: beforeCreateList,
            beforeUpdate: beforeUpdateList,
            others: Object.values(others).flat(),
        },
    };
}

/** The last part of a URN. */
function nameOf(urn: string): string {
    return urn.split("::").at(-1) ?? "";
}

/** Mocks lack the server through which Pulumi's engine calls hooks. */
async function acceptHooks(): Promise<void> {
    const { getStore } = (await import("@pulumi/pulumi/runtime/state.js")) as unknown as {
        getStore: () => { callbacks: unknown };
    };
    const accept = () => Promise.resolve();
    getStore().callbacks = {
        registerResourceHook: accept,
        awaitStackRegistrations: accept,
        shutdown: () => undefined,
    };
}

/** Resolves once everything the program has asked for so far is registered. */
export function settled(): Promise<void> {
    // Pulumi exports waitForRPCs but strips it from its type declarations.
    return (pulumi.runtime as unknown as { waitForRPCs: () => Promise<void> }).waitForRPCs();
}

/** The value an output resolves to. */
export function promiseOf<T>(output: pulumi.Output<T>): Promise<T> {
    return new Promise((resolve) => {
        output.apply((value) => resolve(value));
    });
}
