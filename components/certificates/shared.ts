import { script } from "../docker/script.ts";

/** The text of a shell script of this directory, after those with the functions that it calls. */
export function withFunctions(
    file: string,
    ...functions: readonly ("install-pair.sh" | "lock.sh")[]
): string {
    return [...functions, file].map((name) => script(import.meta.url, name)).join("");
}
