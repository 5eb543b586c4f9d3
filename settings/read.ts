import * as pulumi from "@pulumi/pulumi";
import { ENCRYPTED_EXTRA_CONFIG } from "./extra-config.ts";
import { describe, faultsOf } from "./faults.ts";
import { RULES, settingsSchema, WHEN_MISSING } from "./schema.ts";
import { inTheClear, secretSettings } from "./secrets.ts";
import { complete, type Settings } from "./settings.ts";
import type { Written } from "./written.ts";

/** Nothing else reads the stack's configuration. */

/** The settings of the stack that is being deployed. */
export function stackSettings(): Settings {
    const project = pulumi.getProject();
    // Pulumi exports isConfigSecret but strips it from its type declarations.
    const { isConfigSecret } = pulumi.runtime as unknown as { isConfigSecret: (key: string) => boolean };
    return readSettings(pulumi.getStack(), ownConfig(project, pulumi.runtime.allConfig()), (key) =>
        isConfigSecret(`${project}:${key}`),
    );
}

/** The configuration of the project's own namespace, by bare key. */
export function ownConfig(project: string, config: Readonly<Record<string, string>>): Record<string, string> {
    const own = Object.entries(config).filter(([key]) => key.startsWith(`${project}:`));
    return Object.fromEntries(own.map(([key, value]) => [key.slice(project.length + 1), value]));
}

/**
 * Reads and checks the stack's configuration.
 *
 * @throws pulumi.RunError naming every fault at once: the key, what was given, what is wanted, what to do.
 */
export function readSettings(
    stack: string,
    config: Readonly<Record<string, string>>,
    isSecret: (key: string) => boolean,
): Settings {
    const written = writtenIn(config);
    const result = settingsSchema.safeParse(written, { reportInput: true });
    const faults = result.success
        ? RULES.flatMap((rule) => rule(result.data, written))
        : faultsOf(result.error, { known: Object.keys(settingsSchema.shape), whenMissing: WHEN_MISSING });
    if (isSecret("extraConfig")) faults.push(ENCRYPTED_EXTRA_CONFIG);
    for (const secret of secretSettings(written)) {
        if (isSecret(secret.setting) || faults.some(({ key }) => key === secret.key)) continue;
        faults.push(inTheClear(secret));
    }
    if (!result.success || faults.length > 0) throw new pulumi.RunError(describe(faults, isSecret));
    return complete(stack, result.data);
}

/** The top-level settings that hold secrets, for an engine whose settings are all in the clear. */
export function settingsWithSecrets(config: Readonly<Record<string, string>>): string[] {
    return [...new Set(secretSettings(writtenIn(config)).map(({ setting }) => setting))];
}

function writtenIn(config: Readonly<Record<string, string>>): Written {
    // An empty text stands for "left out": Pulumi.yaml must give every optional key some default.
    const set = Object.entries(config).filter(([, text]) => text !== "");
    return Object.fromEntries(set.map(([key, text]) => [key, parsed(key, text)]));
}

/** Pulumi hands every value over as text, with objects, numbers and booleans as JSON. */
function parsed(key: string, text: string): unknown {
    if (!Object.hasOwn(settingsSchema.shape, key)) return text;
    const field = settingsSchema.shape[key as keyof typeof settingsSchema.shape];
    if (typeof field.safeParse(text).data === "string") return text;
    try {
        return JSON.parse(text);
    } catch {
        return text;
    }
}
