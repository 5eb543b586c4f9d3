import type * as pulumi from "@pulumi/pulumi";
import { onUpdate } from "../docker/on-update.ts";

/** The variable of the generation run that holds what the next deployment cannot change: the server's name. */
export const SERVER_NAME = "SERVER_NAME";

/**
 * Refuses another server name in preview already; the generation run would refuse it on the Docker host. Whether
 * an image can read the database is seen there alone, where the database is.
 */
export function permanenceGuard(name: string): pulumi.ResourceHookBinding {
    return onUpdate(`${name}-permanence`, (before, after) => {
        const [old, other] = [before[SERVER_NAME], after[SERVER_NAME]];
        return typeof old === "string" && typeof other === "string" ? refusalOf(old, other) : undefined;
    });
}

/** The variable that says where the server's data is: `postgres` or `sqlite`. */
export const DATABASE = "DATABASE";

/** Refuses in preview already that a server leaves PostgreSQL for SQLite: no tool takes its data there. */
export function databaseGuard(name: string): pulumi.ResourceHookBinding {
    return onUpdate(`${name}-database-kind`, (before, after) =>
        before[DATABASE] === "postgres" && after[DATABASE] === "sqlite"
            ? "the server's data is in PostgreSQL, and nothing takes it from there to SQLite: a server on an empty " +
              "database would know no user and no room. Set synapse:database.kind to postgres; left out, it is sqlite in a " +
              "throw-away."
            : undefined,
    );
}

/** The variable that says how often the signing key has been replaced. */
export const KEY_ROTATION = "KEY_ROTATION";

/** Refuses in preview already those steps of that number which the generation run would refuse. */
export function rotationGuard(name: string): pulumi.ResourceHookBinding {
    return onUpdate(`${name}-rotation`, (before, after) =>
        // A throw-away that becomes another server gets its first key.
        before[SERVER_NAME] === after[SERVER_NAME]
            ? rotationRefusal(Number(before[KEY_ROTATION] ?? 0), Number(after[KEY_ROTATION] ?? 0))
            : undefined,
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
function rotationRefusal(before: number, after: number): string | undefined {
    if (after === before || after === before + 1) return undefined;
    return (
        `synapse:signingKey.rotation is ${before}, and cannot become ${after}: ` +
        `it counts the keys that other servers have seen. ` +
        `Set it to ${before}, or to ${before + 1} for another key.`
    );
}
