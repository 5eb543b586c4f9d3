import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb.js";
import { type Hooks, hooksOf, type RegisteredHooks } from "./hooks.ts";
import type { Values } from "./inputs.ts";
import { Refusal } from "./refusal.ts";
import { mapSecrets, secretKeys } from "./secrets.ts";

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

/** What came of a resource. */
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

/** @throws Refusal for a resource option that this engine would have to ignore. */
export function registration(
    urn: string,
    request: RegisterResourceRequest,
    inputs: Values,
    hooks: RegisteredHooks,
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
