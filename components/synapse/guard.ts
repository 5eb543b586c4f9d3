import * as pulumi from "@pulumi/pulumi";

/** What of the last deployment cannot be changed by the next one. */
export interface Permanent {
    readonly serverName: string;
    /** Reference of Synapse's image. */
    readonly image: string;
}

/** The variables of the generation run that hold it. */
export const PERMANENT = { serverName: "SERVER_NAME", image: "IMAGE_REFERENCE" } as const;

/**
 * Refuses, in preview already, what the generation run would refuse on the Docker host: another server name, and an
 * image older than the one that last wrote the database.
 */
export function permanenceGuard(): pulumi.ResourceHookBinding {
    const hook = new pulumi.ResourceHook(
        "permanence",
        ({ oldInputs, newInputs }) => {
            const [before, after] = [permanentOf(oldInputs), permanentOf(newInputs)];
            const refusal = before && after && refusalOf(before, after);
            if (refusal !== undefined) throw new pulumi.RunError(refusal);
        },
        { onDryRun: true },
    );
    return { beforeUpdate: [hook] };
}

/** Why the change from one to the other is impossible; undefined when it is not. */
export function refusalOf(before: Permanent, after: Permanent): string | undefined {
    if (before.serverName !== after.serverName) {
        return (
            `synapse:serverName is ${before.serverName} for ever: it is part of every user and room. ` +
            `Set it back, or make a new stack for ${after.serverName}.`
        );
    }
    const [old, next] = [versionOf(before.image), versionOf(after.image)];
    if (old === undefined || next === undefined || compareVersions(next, old) >= 0) return undefined;
    return (
        `synapse:images.synapse goes back from ${old.join(".")} to ${next.join(".")}, and Synapse's database cannot. ` +
        `Set it to ${old.join(".")} or newer, or restore a backup from before.`
    );
}

/** The numbers of a tag such as `v1.163.2`; undefined when a reference has none. */
export function versionOf(image: string): number[] | undefined {
    const tag = /:v?(\d+)\.(\d+)\.(\d+)[^:/]*$/.exec(image.replace(/@sha256:.*$/, ""));
    return tag?.slice(1).map(Number);
}

function compareVersions(left: readonly number[], right: readonly number[]): number {
    const differing = left.findIndex((part, index) => part !== right[index]);
    return differing === -1 ? 0 : (left[differing] ?? 0) - (right[differing] ?? 0);
}

function permanentOf(inputs: Record<string, unknown> | undefined): Permanent | undefined {
    const environment = inputs?.environment as Record<string, unknown> | undefined;
    const serverName = environment?.[PERMANENT.serverName];
    const image = environment?.[PERMANENT.image];
    return typeof serverName === "string" && typeof image === "string" ? { serverName, image } : undefined;
}
