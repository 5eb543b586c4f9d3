import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { standardName } from "../../settings/name.ts";
import { settingsSchema } from "../../settings/schema.ts";
import type { DockerHost } from "../docker.ts";
import { CommandError } from "../failure.ts";
import { checkStackName } from "../server.ts";

/** A server that need not be there yet, as its stack's settings have it. */
export interface Planned {
    readonly serverName: string;
    /** Prefix of its Docker objects. */
    readonly prefix: string;
    readonly dockerHost: DockerHost;
    /** Synapse's. */
    readonly image: string;
}

const PROJECT = join(import.meta.dirname, "../..");
const NEEDED = settingsSchema.pick({ serverName: true, name: true, dockerHost: true, images: true });

/** Reads `Pulumi.<stack>.yaml`: a stack without a server has no outputs. None of what is read there is ever encrypted. */
export function plannedServer(stack: string, project: string = PROJECT): Planned {
    checkStackName(stack);
    // An organisation and a project may stand before it.
    const name = stack.split("/").at(-1) ?? stack;
    const file = `Pulumi.${name}.yaml`;
    const { data, error } = NEEDED.safeParse(settingsIn(join(project, file), file));
    if (data === undefined) {
        const faults = error.issues.map(({ path, message }) => `synapse:${path.join(".")} wants ${message}`);
        throw new CommandError(`Nothing was done. In ${file}: ${faults.join("; ")}.`);
    }
    return {
        serverName: data.serverName,
        prefix: data.name ?? standardName("synapse", name),
        dockerHost: data.dockerHost,
        image: data.images.synapse,
    };
}

function settingsIn(path: string, file: string): Record<string, unknown> {
    let text: string;
    try {
        text = readFileSync(path, "utf8");
    } catch {
        throw new CommandError(
            `There is no ${file} here: write the stack's settings first. Nothing was done.`,
        );
    }
    const entries = Object.entries(configIn(text, file)).map(
        ([key, value]) => [key.replace(/^synapse:/, ""), value] as const,
    );
    const wanted = Object.keys(NEEDED.shape);
    return Object.fromEntries(entries.filter(([key]) => wanted.includes(key)));
}

function configIn(text: string, file: string): object {
    let content: unknown;
    try {
        content = load(text);
    } catch {
        // What it says quotes the file.
        throw new CommandError(`${file} is no YAML. Nothing was done.`);
    }
    const { config } = (content ?? {}) as { readonly config?: object | null };
    return config ?? {};
}
