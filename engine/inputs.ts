import { createHash, createHmac } from "node:crypto";
import { Refusal } from "./refusal.ts";

export type Values = Readonly<Record<string, unknown>>;

/** Refuses arguments that nobody here reads: dropping one silently would be worse than failing. */
export function refuseUnknown(what: string, given: Values, known: Iterable<string>): void {
    const accepted = new Set(known);
    const unknown = Object.keys(given).filter((key) => given[key] != null && !accepted.has(key));
    if (unknown.length > 0) {
        throw new Refusal(
            `${what}: the embedded engine does not know ${unknown.join(", ")}; use \`pulumi up\``,
        );
    }
}

/**
 * A digest of plain values that does not depend on the order of their keys.
 *
 * With `key` it cannot be used to try out guesses at a secret among the values.
 */
export function digest(value: unknown, key?: string): string {
    const hash = key === undefined ? createHash("sha256") : createHmac("sha256", key);
    return hash.update(canonical(value)).digest("hex").slice(0, 32);
}

function canonical(value: unknown): string {
    return JSON.stringify(value, (_key, part: unknown) =>
        isObject(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
    );
}

export function isObject(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function without(values: Values, keys: Iterable<string>): Values {
    const left = new Set(keys);
    return Object.fromEntries(Object.entries(values).filter(([key]) => !left.has(key)));
}
