import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { load } from "js-yaml";
import { isObject, type Values } from "./inputs.ts";
import { Refusal } from "./refusal.ts";

export interface Project {
    /** The directory of `Pulumi.yaml`. */
    readonly root: string;
    readonly name: string;
    /** Of the `config:` section, by fully qualified key. */
    readonly defaults: Values;
}

/** Finds the project as the Pulumi CLI does: in the working directory, or above it. */
export function findProject(from = process.cwd()): Project {
    const file = join(from, "Pulumi.yaml");
    if (!existsSync(file)) {
        const above = dirname(from);
        if (above === from) throw new Refusal("there is no Pulumi.yaml in the working directory or above it");
        return findProject(above);
    }
    const { name, config } = readYaml(file);
    if (typeof name !== "string") throw new Refusal(`${file} does not name the project`);
    const defaults = Object.entries(isObject(config) ? config : {}).flatMap(([key, declared]) => {
        // `key: value`, or a declaration with a type, and perhaps a default or a value.
        const value = isObject(declared) ? (declared.value ?? declared.default) : declared;
        return value == null ? [] : [[qualified(name, key), value] as const];
    });
    return { root: from, name, defaults: Object.fromEntries(defaults) };
}

/**
 * The stack's configuration by fully qualified key: `overrides` before `Pulumi.<stack>.yaml` before the defaults of
 * `Pulumi.yaml`. `null` as an override takes a key away.
 */
export function readConfig(project: Project, stack: string, overrides: Values | undefined): Values {
    const file = join(project.root, `Pulumi.${stack}.yaml`);
    if (!existsSync(file) && overrides === undefined) {
        throw new Refusal(`there is no Pulumi.${stack}.yaml: write one, or give settings with --config`);
    }
    const { config } = existsSync(file) ? readYaml(file) : {};
    const given = isObject(config) ? config : {};
    refuseEncrypted(given, `Pulumi.${stack}.yaml`);
    const entries = [given, overrides ?? {}].flatMap((layer) =>
        Object.entries(layer).map(([key, value]) => [qualified(project.name, key), value] as const),
    );
    const merged = { ...project.defaults, ...Object.fromEntries(entries) };
    return Object.fromEntries(Object.entries(merged).filter(([, value]) => value != null));
}

/** As the SDK takes it: strings as they are, all else as JSON. */
export function forProgram(config: Values): Record<string, string> {
    return Object.fromEntries(
        Object.entries(config).map(([key, value]) => [
            key,
            typeof value === "string" ? value : JSON.stringify(value),
        ]),
    );
}

/** Of the configuration what stands in the project's own namespace, by bare key, as the program reads it. */
export function ownConfig(project: string, config: Values): Record<string, string> {
    const prefix = `${project}:`;
    const own = Object.entries(forProgram(config)).filter(([key]) => key.startsWith(prefix));
    return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
}

export function qualified(project: string, key: string): string {
    return key.includes(":") ? key : `${project}:${key}`;
}

function readYaml(file: string): Record<string, unknown> {
    const content: unknown = load(readFileSync(file, "utf8"));
    return isObject(content) ? content : {};
}

function refuseEncrypted(value: unknown, path: string): void {
    if (typeof value !== "object" || value === null) return;
    if (isObject(value) && typeof value.secure === "string") {
        throw new Refusal(
            `${path} is encrypted, and the embedded engine has no decryption: use \`pulumi up\``,
        );
    }
    for (const [key, item] of Object.entries(value)) refuseEncrypted(item, `${path}: ${key}`);
}
