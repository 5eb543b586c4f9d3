import { AsyncLocalStorage } from "node:async_hooks";
import { pathToFileURL } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import type {
    RegisterResourceOutputsRequest,
    RegisterResourceRequest,
    RegisterResourceResponse,
} from "@pulumi/pulumi/proto/resource_pb.js";
import { Cancelled, Failures } from "./failures.ts";
import { replaceCallbacks } from "./hooks.ts";
import { isObject, type Values } from "./inputs.ts";
import { Refusal } from "./refusal.ts";
import { type Invoke, type Register, registration } from "./registration.ts";
import { markSecrets, type Secrets, secretKeys } from "./secrets.ts";
import { urnOf } from "./urns.ts";

export interface RunArgs {
    readonly project: string;
    readonly stack: string;
    /** Path of the program's main file. */
    readonly main: string;
    /** Fully qualified keys (`project:key`), values as Pulumi hands them over: strings, or JSON. */
    readonly config: Readonly<Record<string, string>>;
    /** Keys of `config` that the program is told are secret. */
    readonly secretKeys?: readonly string[];
    readonly register: Register;
    /** Calls a provider's function. */
    readonly invoke?: Invoke;
    readonly secrets: Secrets;
    /** Once aborted, nothing new is started. */
    readonly signal?: AbortSignal;
}

export interface RunResult {
    /** One message for each failure. */
    readonly failures: readonly string[];
    /** The stack's outputs, each secret still marked as one. */
    readonly outputs: Values;
}

/**
 * Runs a Pulumi program against `register` in place of Pulumi's engine. Once per process: the SDK keeps its state
 * in globals, and only the process knows when a program has finished.
 */
export async function run(args: RunArgs): Promise<RunResult> {
    const failures = new Failures();
    const requests = new AsyncLocalStorage<RegisterResourceRequest>();
    const urns = new Set<string>();
    const hooks = new Map<string, pulumi.ResourceHook>();

    async function newResource(mock: pulumi.runtime.MockResourceArgs) {
        const inputs = mock.inputs as Values;
        try {
            const request = requests.getStore();
            if (request === undefined) throw new Refusal("reading an existing resource is not supported");
            if (failures.any || args.signal?.aborted === true) throw new Cancelled();
            const urn = urnOf(args, request.getParent(), request.getType(), request.getName());
            if (urns.has(urn)) throw new Refusal("two resources have this type, name and parent");
            urns.add(urn);
            if (!request.getCustom()) {
                if (Object.values(request.getHooks()?.toObject() ?? {}).flat().length > 0)
                    throw new Refusal("the embedded engine does not support hooks of components");
                return { id: "", state: inputs };
            }
            args.secrets.learn(request.getObject()?.toJavaScript());
            const {
                id,
                outputs,
                secretOutputs = [],
            } = await args.register(registration(urn, request, inputs, hooks));
            const secret = new Set([
                ...secretKeys(inputs),
                ...request.getAdditionalsecretoutputsList(),
                ...secretOutputs,
            ]);
            return { id, state: markSecrets(outputs, secret) };
        } catch (error) {
            failures.add(error, `${mock.type} "${mock.name}"`);
            throw new Cancelled();
        }
    }

    async function call({ token, inputs }: pulumi.runtime.MockCallArgs): Promise<Values> {
        try {
            if (args.invoke === undefined)
                throw new Refusal("functions and stack references are not supported");
            if (failures.any || args.signal?.aborted === true) throw new Cancelled();
            return await args.invoke(token, inputs as Values);
        } catch (error) {
            failures.add(error, token);
            throw new Cancelled();
        }
    }

    for (const escaped of ["unhandledRejection", "uncaughtException"] as const) {
        process.on(escaped, (error: unknown) => failures.add(error));
    }
    await pulumi.runtime.setMocks({ newResource, call }, args.project, args.stack, false);
    pulumi.runtime.setAllConfig(args.config, [...(args.secretKeys ?? [])]);
    const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
    let outputs: unknown;

    // The mocks are not told of resource options, so hand each request on to `newResource`.
    const { registerResource, registerResourceOutputs } = monitor;
    monitor.registerResource = (request, reply) =>
        requests.run(request, () => registerResource.call(monitor, request, reply));
    monitor.registerResourceOutputs = (request, reply) => {
        if (request.getUrn().includes("::pulumi:pulumi:Stack::")) {
            outputs = request.getOutputs()?.toJavaScript();
            args.secrets.learn(outputs);
        }
        registerResourceOutputs.call(monitor, request, reply);
    };
    // The mocks' own URNs forget the types of grandparents.
    monitor.newUrn = (parent, type, name) => urnOf(args, parent, type, name);
    monitor.call = (_request, reply) => {
        failures.add(new Refusal("methods of resources are not supported"));
        reply(new Cancelled());
    };
    await replaceCallbacks(hooks);

    pulumi.runtime
        .runInPulumiStack(() => programExports(args.main))
        .catch((error: unknown) => failures.add(error));
    await new Promise((resolve) => process.once("beforeExit", resolve));

    if (!failures.any && args.signal?.aborted !== true && (outputs === undefined || !(await settled()))) {
        failures.add(new Refusal("the program ended while it was waiting for a value that never came"));
    }
    return { failures: failures.messages, outputs: isObject(outputs) ? outputs : {} };
}

async function programExports(main: string): Promise<unknown> {
    const { default: fallback, ...named } = (await import(pathToFileURL(main).href)) as Record<
        string,
        unknown
    >;
    return typeof fallback === "function" ? (fallback as () => unknown)() : named;
}

/** What this engine uses of the SDK's mock monitor, which Pulumi publishes no type for. */
interface Monitor {
    registerResource: (
        request: RegisterResourceRequest,
        reply: Reply<RegisterResourceResponse>,
    ) => Promise<void>;
    registerResourceOutputs: (request: RegisterResourceOutputsRequest, reply: Reply<unknown>) => void;
    newUrn: (parent: string, type: string, name: string) => string;
    call: (request: unknown, reply: Reply<unknown>) => void;
}
type Reply<Response> = (error: Error | null, response?: Response) => void;

/** Whether the SDK waits for nothing any more. */
function settled(): Promise<boolean> {
    const { waitForRPCs } = pulumi.runtime as unknown as { waitForRPCs: () => Promise<void> };
    return Promise.race([
        waitForRPCs().then(() => true),
        new Promise<boolean>((resolve) => setTimeout(resolve, 100, false)),
    ]);
}
