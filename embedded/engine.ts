import { AsyncLocalStorage } from "node:async_hooks";
import { pathToFileURL } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import type {
    RegisterResourceOutputsRequest,
    RegisterResourceRequest,
    RegisterResourceResponse,
} from "@pulumi/pulumi/proto/resource_pb.js";
import { isObject, isSecret, mapSecrets, Refusal, type Secrets, type Values, wrapSecret } from "./inputs.ts";

/** One resource as the program asks for it: every input known, and every dependency carried out. */
export interface Registration {
    readonly urn: string;
    readonly type: string;
    readonly name: string;
    /** Plain values: secrets are unwrapped. */
    readonly inputs: Values;
    /** Top-level inputs that hold a secret somewhere. */
    readonly secretInputs: readonly string[];
    readonly additionalSecretOutputs: readonly string[];
    readonly ignoreChanges: readonly string[];
    readonly dependencies: readonly string[];
    readonly protect: boolean;
    readonly retainOnDelete: boolean;
    readonly replacementTrigger: unknown;
    readonly hooks: Hooks;
}

/** What the program wants to be called for. */
export interface Hooks {
    /** For the moment before the resource is made, as the new half of a replacement too. Later calls do nothing. */
    readonly beforeCreate: () => Promise<void>;
    /** For the moment before the resource is changed; undefined when there is nothing to call. */
    readonly beforeUpdate: ((oldInputs: Values) => Promise<void>) | undefined;
}

export interface Registered {
    readonly id: string;
    readonly outputs: Values;
    /** Outputs that are secret although the program did not say so. */
    readonly secretOutputs?: readonly string[];
}

/** Carries one resource out. */
export type Register = (resource: Registration) => Promise<Registered>;

/** Calls a provider's function, by its token. */
export type Invoke = (token: string, inputs: Values) => Promise<Values>;

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
            if (failures.any || args.signal?.aborted === true) throw cancelled();
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
            throw cancelled();
        }
    }

    async function call({ token, inputs }: pulumi.runtime.MockCallArgs): Promise<Values> {
        try {
            if (args.invoke === undefined)
                throw new Refusal("functions and stack references are not supported");
            if (failures.any || args.signal?.aborted === true) throw cancelled();
            return await args.invoke(token, inputs as Values);
        } catch (error) {
            failures.add(error, token);
            throw cancelled();
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
        reply(cancelled());
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
interface State {
    getStore: () => { callbacks: unknown };
}
type Reply<Response> = (error: Error | null, response?: Response) => void;

function urnOf({ stack, project }: RunArgs, parent: string, type: string, name: string): string {
    const parentType = parent.split("::")[2] ?? "";
    const qualified =
        parentType === "" || parentType === "pulumi:pulumi:Stack" ? type : `${parentType}$${type}`;
    return `urn:pulumi:${stack}::${project}::${qualified}::${name}`;
}

function registration(
    urn: string,
    request: RegisterResourceRequest,
    inputs: Values,
    hooks: ReadonlyMap<string, pulumi.ResourceHook>,
): Registration {
    const refused = {
        import: request.getImportid(),
        deletedWith: request.getDeletedwith(),
        replaceWith: request.getReplaceWithList().join(),
        transforms: request.getTransformsList().join(),
        envVarMappings: request.getEnvvarmappingsMap().getLength() > 0,
        "being a remote component": request.getRemote(),
    };
    for (const [option, value] of Object.entries(refused)) {
        if (value) throw new Refusal(`the embedded engine does not support ${option}; use \`pulumi up\``);
    }
    return {
        urn,
        type: request.getType(),
        name: request.getName(),
        inputs: mapSecrets(inputs, (secret) => secret) as Values,
        secretInputs: secretKeys(inputs),
        additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
        ignoreChanges: request.getIgnorechangesList(),
        dependencies: request.getDependenciesList(),
        protect: request.getProtect() ?? false,
        retainOnDelete: request.getRetainondelete() ?? false,
        replacementTrigger: request.getReplacementTrigger()?.toJavaScript() ?? undefined,
        hooks: hooksOf(urn, request, inputs, hooks),
    };
}

function hooksOf(
    urn: string,
    request: RegisterResourceRequest,
    inputs: Values,
    registered: ReadonlyMap<string, pulumi.ResourceHook>,
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

function secretKeys(inputs: Values): string[] {
    return Object.keys(inputs).filter((key) => isSecret(inputs[key]));
}

function markSecrets(outputs: Values, secret: ReadonlySet<string>): Values {
    return Object.fromEntries(
        Object.entries(outputs).map(([key, value]) => [key, secret.has(key) ? wrapSecret(value) : value]),
    );
}

/** Stands in for the server through which Pulumi's engine calls a program back. */
async function replaceCallbacks(hooks: Map<string, pulumi.ResourceHook>): Promise<void> {
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

/** Whether the SDK waits for nothing any more. */
function settled(): Promise<boolean> {
    const { waitForRPCs } = pulumi.runtime as unknown as { waitForRPCs: () => Promise<void> };
    return Promise.race([
        waitForRPCs().then(() => true),
        new Promise<boolean>((resolve) => setTimeout(resolve, 100, false)),
    ]);
}

/** gRPC's CANCELLED: the SDK then leaves whatever depends on the resource pending, and reports nothing itself. */
function cancelled(): Error {
    return Object.assign(new Error("cancelled"), { code: 1 });
}

class Failures {
    readonly messages: string[] = [];
    readonly #seen = new Set<unknown>();

    get any(): boolean {
        return this.messages.length > 0;
    }

    add(error: unknown, subject?: string): void {
        if (this.#seen.has(error) || (error instanceof Error && "code" in error && error.code === 1)) return;
        this.#seen.add(error);
        const message = describe(error);
        this.messages.push(subject === undefined ? message : `${subject}: ${message}`);
    }
}

function describe(error: unknown): string {
    if (!(error instanceof Error)) return String(error);
    const { message, stack = message } = error;
    const forPeople =
        error instanceof Refusal ||
        "statusCode" in error || // Docker's own answers
        pulumi.RunError.isInstance(error) ||
        pulumi.ResourceError.isInstance(error);
    return forPeople ? message : stack;
}
