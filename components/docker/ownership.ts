import * as pulumi from "@pulumi/pulumi";
import type { DockerClient, Kind, Standing } from "./client.ts";

/** Labels that say whose a Docker object is. */
export const LABELS = {
    /** `project/stack`. */
    stack: "synapse.stack",
    /** Prefix of the stack's Docker objects. */
    prefix: "synapse.name",
    /** Differs between deployments of one name: from other backends, or before and after a state was lost. */
    deployment: "synapse.deployment",
    /** Pulumi name of the task that a disposable container runs. */
    task: "synapse.task",
} as const;

/** What tells the own from the others'. */
export interface Ownership {
    /** `project/stack`. */
    readonly stack: string;
    readonly prefix: string;
    /** Ids of other deployments whose objects may be taken over. */
    readonly takeOver: readonly string[];
    readonly client: DockerClient;
}

const KINDS: Readonly<Record<string, Kind>> = {
    "docker:index/container:Container": "container",
    "docker:index/network:Network": "network",
    "docker:index/volume:Volume": "volume",
};

/**
 * For the moment before a deployment begins: another one of the same name is refused, in preview already, unless it
 * is to be taken over. Then its containers and networks go; its volumes stay, and are adopted one by one.
 */
export function gate({ prefix, takeOver, client }: Ownership): pulumi.ResourceHookFunction {
    return async () => {
        const found = await orNothingInPreview([], () => client.labelled(`${LABELS.prefix}=${prefix}`));
        const others = found.filter((object) => deploymentOf(object) !== undefined);
        const strangers = others.filter((object) => !takeOver.includes(deploymentOf(object) ?? ""));
        if (strangers.length > 0) throw new pulumi.RunError(`${refusal(strangers)}\nNothing was touched.`);
        if (pulumi.runtime.isDryRun()) return;
        // The server itself has the shortest name: what stands before it goes first.
        const sorted = [...others].sort((left, right) => right.name.length - left.name.length);
        for (const kind of ["container", "network"] as const) {
            for (const { name } of sorted.filter((object) => object.kind === kind)) {
                await client.remove(kind, name);
            }
        }
    };
}

/**
 * For the moment before a Docker object is made. Killed while it makes a container, `pulumi up` leaves one that its
 * state does not know, and each later `up` would fail on the name. Whatever of this very deployment stands under a
 * name that is about to be made is such a leftover, and goes: a container that the state knows has been deleted before
 * its replacement is made. Whatever another deployment made is refused.
 */
export function sweeper({ stack, takeOver, client }: Ownership): pulumi.ResourceHookFunction {
    return async ({ type, newInputs }) => {
        const kind = KINDS[type];
        const name: unknown = newInputs?.name;
        if (kind === undefined || typeof name !== "string") return;
        const found = await orNothingInPreview(undefined, () => client.find(kind, name));
        if (found === undefined) return;
        const deployment = deploymentOf(found);
        const known = [ownDeployment(newInputs), ...takeOver].filter((id) => id !== undefined);
        if (deployment !== undefined && known.includes(deployment)) {
            // A volume is adopted with its data. In preview it may be what the state knows and is going to replace.
            if (kind !== "volume" && !pulumi.runtime.isDryRun()) await client.remove(kind, name);
            return;
        }
        // A volume that a person made holds what they restored.
        if (kind === "volume" && deployment === undefined) return;
        // Made before deployments had ids: if the state knows it, it is deleted before its replacement is made.
        const isOlder = deployment === undefined && found.labels[LABELS.stack] === stack;
        if (isOlder && pulumi.runtime.isDryRun()) return;
        throw new pulumi.RunError(refusal([found]));
    };
}

function deploymentOf({ labels }: Standing): string | undefined {
    return labels[LABELS.deployment];
}

/** The id among the labels of what is about to be made; undefined while it is not known yet. */
function ownDeployment(inputs: Record<string, unknown> | undefined): string | undefined {
    const labels = (inputs?.labels ?? []) as readonly {
        readonly label?: unknown;
        readonly value?: unknown;
    }[];
    const value = labels.find(({ label }) => label === LABELS.deployment)?.value;
    return typeof value === "string" ? value : undefined;
}

/** A preview goes on where no docker client reaches the engine; nothing is made without having looked. */
async function orNothingInPreview<Answer>(nothing: Answer, ask: () => Promise<Answer>): Promise<Answer> {
    try {
        return await ask();
    } catch (error) {
        if (pulumi.runtime.isDryRun()) return nothing;
        const reason = error instanceof Error ? error.message : String(error);
        throw new pulumi.RunError(`cannot see what stands on the Docker host: ${reason}`);
    }
}

function refusal(objects: readonly Standing[]): string {
    const lines = objects.map((object) => {
        const { kind, name, since, status } = object;
        const whose = deploymentOf(object);
        const owner = whose === undefined ? "not made by this program" : `of deployment ${whose}`;
        return `  ${kind} ${name}, ${owner}, there since ${since}${status === undefined ? "" : `, ${status}`}`;
    });
    const ids = [...new Set(objects.flatMap((object) => deploymentOf(object) ?? []))];
    const settings = ids.map((id, index) => `  pulumi config set --path 'synapse:takeOver[${index}]' ${id}`);
    const advice =
        ids.length === 0
            ? ["Remove it, or choose another synapse:name."]
            : [
                  "It was deployed from another backend, or by a state that is lost. Choose another synapse:name; or take",
                  "it over, which replaces its containers and networks and keeps its volumes with their data:",
                  ...settings,
              ];
    return ["the Docker host has what this deployment did not make:", ...lines, ...advice].join("\n");
}
