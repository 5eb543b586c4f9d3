import { script } from "../docker/script.ts";

/** The text of a script of this directory that uses functions of others: theirs before it. */
export function withFunctions(file: string, ...before: readonly string[]): string {
    return [...before, file].map((name) => script(import.meta.url, name)).join("\n");
}
