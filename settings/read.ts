import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { ENCRYPTED_EXTRA_CONFIG } from "./extra-config.ts";
import { describe, describeGiven, type FieldFault, faultsOf } from "./faults.ts";
import { type Given, RULES, settingsSchema, WHEN_MISSING } from "./schema.ts";
import { inTheClear, secretSettings } from "./secrets.ts";
import { complete, type Settings } from "./settings.ts";
import type { Written } from "./written.ts";

/** Nothing else reads the stack's configuration. */

/** Settings as they are given to a `Homeserver`: as in a stack's configuration, with their defaults left out. */
export type HomeserverSettings = z.input<typeof settingsSchema>;

/**
 * The settings of the stack that is being deployed.
 *
 * @throws pulumi.RunError as {@link readSettings} does.
 */
export function stackSettings(): HomeserverSettings {
    const [project, stack] = [pulumi.getProject(), pulumi.getStack()];
    const config = ownConfig(project, pulumi.runtime.allConfig());
    // Pulumi exports isConfigSecret but strips it from its type declarations.
    const { isConfigSecret } = pulumi.runtime as unknown as { isConfigSecret: (key: string) => boolean };
    const { name } = readSettings(stack, config, (key) => isConfigSecret(`${project}:${key}`));
    return { ...(writtenIn(config) as HomeserverSettings), name };
}

/**
 * The whole settings of a server that is given them by a program.
 *
 * @param server how it is called: its Docker objects are named by that when the settings do not say so.
 * @throws pulumi.RunError naming every fault at once: the key, what was given, what is wanted.
 */
export function settingsOf(given: HomeserverSettings, stack: string, server: string): Settings {
    const unknown = outputsIn(given, "");
    const { data, faults } = unknown.length > 0 ? { data: undefined, faults: unknown } : checked(given);
    if (data === undefined || faults.length > 0) throw new pulumi.RunError(describeGiven(faults, server));
    return complete(stack, data, server);
}

/** What is not known while the program runs cannot be checked before anything is registered. */
function outputsIn(value: unknown, key: string): FieldFault[] {
    if (pulumi.Output.isInstance(value)) {
        const wanted =
            "a plain value; of a secret setting too, as config.require gives it: it stays encrypted";
        return [{ key, got: "an output", wanted, fix: "" }];
    }
    if (typeof value !== "object" || value === null) return [];
    return Object.entries(value).flatMap(([name, inner]) =>
        outputsIn(inner, key === "" ? name : `${key}.${name}`),
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
    const { data, faults } = checked(written);
    if (isSecret("extraConfig")) faults.push(ENCRYPTED_EXTRA_CONFIG);
    for (const secret of secretSettings(written)) {
        if (isSecret(secret.setting) || faults.some(({ key }) => key === secret.key)) continue;
        faults.push(inTheClear(secret));
    }
    if (data === undefined || faults.length > 0) throw new pulumi.RunError(describe(faults, isSecret));
    return complete(stack, data);
}

function checked(written: Written): { data: Given | undefined; faults: FieldFault[] } {
    const { data, error } = settingsSchema.safeParse(written, { reportInput: true });
    const faults =
        error === undefined
            ? RULES.flatMap((rule) => rule(data, written))
            : faultsOf(error, { known: Object.keys(settingsSchema.shape), whenMissing: WHEN_MISSING });
    return { data, faults };
}

/** The top-level settings that hold secrets, for an engine whose settings are all in the clear. */
export function settingsWithSecrets(config: Readonly<Record<string, string>>): string[] {
    return [...new Set(secretSettings(writtenIn(config)).map(({ setting }) => setting))];
}

function writtenIn(config: Readonly<Record<string, string>>): Written {
    // An empty text or object stands for "left out": Pulumi.yaml must give every optional key some default.
    const set = Object.entries(config).filter(([, text]) => text !== "" && text !== "{}");
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
