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
}

export interface Registered {
    readonly id: string;
    readonly outputs: Values;
    /** Outputs that are secret although the program did not say so. */
    readonly secretOutputs?: readonly string[];
}

/** Carries one resource out. */
export type Register = (resource: Registration) => Promise<Registered>;

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

    async function newResource(mock: pulumi.runtime.MockResourceArgs) {
        const inputs = mock.inputs as Values;
        try {
            const request = requests.getStore();
            if (request === undefined) throw new Refusal("reading an existing resource is not supported");
            if (failures.any || args.signal?.aborted === true) throw cancelled();
            const urn = urnOf(args, request.getParent(), request.getType(), request.getName());
            if (urns.has(urn)) throw new Refusal("two resources have this type, name and parent");
            urns.add(urn);
            if (!request.getCustom()) return { id: "", state: inputs };
            args.secrets.learn(request.getObject()?.toJavaScript());
            const {
                id,
                outputs,
                secretOutputs = [],
            } = await args.register(registration(urn, request, inputs));
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

    function call({ token }: pulumi.runtime.MockCallArgs): never {
        failures.add(new Refusal("functions and stack references are not supported"), token);
        throw cancelled();
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
    await replaceCallbacks();

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

function registration(urn: string, request: RegisterResourceRequest, inputs: Values): Registration {
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

/**
 * Stands in for the server through which Pulumi's engine calls a program back. Hooks are there for leftovers that
 * Pulumi's state does not know: this engine sees them by itself, and runs none.
 */
async function replaceCallbacks(): Promise<void> {
    const { getStore } = (await import("@pulumi/pulumi/runtime/state.js")) as unknown as State;
    const ignore = () => Promise.resolve();
    const refuse = () => {
        throw new Refusal("the embedded engine does not support transforms; use `pulumi up`");
    };
    getStore().callbacks = {
        registerResourceHook: ignore,
        registerErrorHook: ignore,
        registerTransform: refuse,
        registerStackTransform: refuse,
        registerStackInvokeTransform: refuse,
        awaitStackRegistrations: ignore,
        shutdown: ignore,
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
