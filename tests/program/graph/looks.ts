import assert from "node:assert/strict";
import type { Registration, Run } from "./runs.ts";

/** Ways to look at a run. */

export const CONTAINER = "docker:index/container:Container";
export const COMMAND = "command:local:Command";
export const VOLUME = "docker:index/volume:Volume";

/** What an interrupted update leaves is known by them. */
export const OWN_LABELS = [
    { label: "synapse.stack", value: "synapse/test" },
    { label: "synapse.name", value: "synapse-test" },
    { label: "synapse.deployment", value: "0123456789abcdef" },
];

export const ofType = ({ registrations }: Run, type: string) =>
    registrations.filter((resource) => resource.type === type);
export const isLoader = ({ name }: Registration) => name.endsWith("-loader");
export const servicesOf = (run: Run) => ofType(run, CONTAINER).filter((container) => !isLoader(container));
/** But the one that makes the deployment's id, which asks no engine. */
export const commandsOf = (run: Run) => ofType(run, COMMAND).filter(({ name }) => name !== "deployment");
export const loadersOf = (run: Run) => ofType(run, CONTAINER).filter(isLoader);

export function registered({ registrations }: Run, name: string): Registration {
    const found = registrations.filter((resource) => resource.name === name);
    assert.equal(found.length, 1, `${found.length} × ${name}`);
    return found[0] as Registration;
}

/** A resource's name without the hash of the files in it. */
export function withoutHash(name: string): string {
    return name.replace(/-[0-9a-f]{12}-/, "-");
}

/** What must be there before a resource, by its own words and those of the components that it stands in. */
export function everythingBefore({ registrations }: Run, name: string): ReadonlySet<string> {
    const seen = new Set([name]);
    // A set that grows is walked to its new end.
    for (const waiting of seen) {
        for (const resource of registrations) {
            if (withoutHash(resource.name) !== waiting) continue;
            for (const other of [...resource.dependencies, resource.parent]) seen.add(withoutHash(other));
        }
    }
    return seen;
}

export const environmentOf = (run: Run, name: string) =>
    registered(run, name).inputs.environment as Record<string, string>;

// How the SDK marks a secret on the wire.
export const SIGNATURE = "4dabf18193072939515e22adb298388d";
export const SECRET = "1b47061264138c4ac30d75fd1eb44270";

export interface Upload {
    readonly file: string;
    readonly content: string;
    readonly permissions: string;
}

export function loaderOf(run: Run, name: string): Registration {
    const loaders = loadersOf(run).filter(({ parent }) => parent === name);
    assert.equal(loaders.length, 1);
    return loaders[0] as Registration;
}

export const uploadsOf = (run: Run, name: string) => loaderOf(run, name).inputs.uploads as Upload[];

export interface Port {
    readonly internal: number;
    readonly external?: number;
    readonly ip: string;
}

export const portsOf = (run: Run, name: string) => registered(run, name).inputs.ports as Port[];

export function asked(run: Run): Record<string, unknown> {
    const { EXPECTATIONS = "" } = registered(run, "verification-questions").inputs.environment as Record<
        string,
        string
    >;
    return JSON.parse(EXPECTATIONS) as Record<string, unknown>;
}
