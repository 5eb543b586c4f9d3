import * as pulumi from "@pulumi/pulumi";

/** The variable of the generation run that holds what the next deployment cannot change: the server's name. */
export const SERVER_NAME = "SERVER_NAME";

/**
 * Refuses another server name in preview already; the generation run would refuse it on the Docker host. Whether
 * an image can read the database is seen there alone, where the database is.
 */
export function permanenceGuard(name: string): pulumi.ResourceHookBinding {
    const hook = new pulumi.ResourceHook(
        `${name}-permanence`,
        ({ oldInputs, newInputs }) => {
            const [before, after] = [serverNameOf(oldInputs), serverNameOf(newInputs)];
            if (before === undefined || after === undefined) return;
            const refusal = refusalOf(before, after);
            if (refusal !== undefined) throw new pulumi.RunError(refusal);
        },
        { onDryRun: true },
    );
    return { beforeUpdate: [hook] };
}

/** Why the change from one server name to the other is impossible; undefined when it is none. */
export function refusalOf(before: string, after: string): string | undefined {
    if (before === after) return undefined;
    return (
        `synapse:serverName is ${before} for ever: it is part of every user and room. ` +
        `Set it back, or make a new stack for ${after}.`
    );
}

function serverNameOf(inputs: Record<string, unknown> | undefined): string | undefined {
    const environment = inputs?.environment as Record<string, unknown> | undefined;
    const serverName = environment?.[SERVER_NAME];
    return typeof serverName === "string" ? serverName : undefined;
}
