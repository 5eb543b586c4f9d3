import * as pulumi from "@pulumi/pulumi";

/** The variables of the generation run that a deployment may not change as it likes. */
export const SERVER_NAME = "SERVER_NAME";
export const KEY_ROTATION = "KEY_ROTATION";

type Inputs = Record<string, unknown> | undefined;

/**
 * Refuses another server name in preview already; the generation run would refuse it on the Docker host. Whether
 * an image can read the database is seen there alone, where the database is.
 */
export function permanenceGuard(name: string): pulumi.ResourceHook {
    return guard(`${name}-permanence`, (before, after) => {
        const [old, wanted] = [variable(before, SERVER_NAME), variable(after, SERVER_NAME)];
        return old === undefined || wanted === undefined ? undefined : refusalOf(old, wanted);
    });
}

/** As {@link permanenceGuard}, for steps of the signing key's number that the generation run would refuse. */
export function rotationGuard(name: string): pulumi.ResourceHook {
    return guard(`${name}-rotation`, (before, after) => {
        const wanted = variable(after, KEY_ROTATION);
        // A throw-away that becomes another server gets its first key.
        if (wanted === undefined || variable(before, SERVER_NAME) !== variable(after, SERVER_NAME))
            return undefined;
        return rotationRefusal(Number(variable(before, KEY_ROTATION) ?? "0"), Number(wanted));
    });
}

function guard(
    name: string,
    refusal: (before: Inputs, after: Inputs) => string | undefined,
): pulumi.ResourceHook {
    return new pulumi.ResourceHook(
        name,
        ({ oldInputs, newInputs }) => {
            const refused = refusal(oldInputs, newInputs);
            if (refused !== undefined) throw new pulumi.RunError(refused);
        },
        { onDryRun: true },
    );
}

/** Why the change from one server name to the other is impossible; undefined when it is none. */
export function refusalOf(before: string, after: string): string | undefined {
    if (before === after) return undefined;
    return (
        `synapse:serverName is ${before} for ever: it is part of every user and room. ` +
        `Set it back, or make a new stack for ${after}.`
    );
}

/** Why the signing key's number cannot become another one; undefined when it can. */
export function rotationRefusal(before: number, after: number): string | undefined {
    if (after === before || after === before + 1) return undefined;
    return (
        `synapse:signingKey.rotation is ${before}, and cannot become ${after}: ` +
        `it counts the keys that other servers have seen. ` +
        `Set it to ${before}, or to ${before + 1} for another key.`
    );
}

function variable(inputs: Inputs, name: string): string | undefined {
    const environment = inputs?.environment as Record<string, unknown> | undefined;
    const value = environment?.[name];
    return typeof value === "string" ? value : undefined;
}
