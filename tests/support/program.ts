import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Registration } from "./engine.ts";

/** What the whole program did with some settings. */
export interface Run {
    readonly registrations: readonly Registration[];
    /** The inputs of every function that was called. */
    readonly calls: readonly Readonly<Record<string, unknown>>[];
    readonly outputs: Readonly<Record<string, unknown>>;
    /** Why it refused to go on. */
    readonly failure?: { readonly message: string; readonly isRunError: boolean };
}

const fixture = fileURLToPath(new URL("../program/fixtures/register.ts", import.meta.url));

/** Runs the whole program in a process of its own: modules are evaluated once in each. */
export function runProgram(
    settings: Readonly<Record<string, unknown>>,
    stack = "test",
    secret: readonly string[] = [],
): Promise<Run> {
    const config = Object.entries(settings).map(([key, value]) => [
        `synapse:${key}`,
        typeof value === "string" ? value : JSON.stringify(value),
    ]);
    const given = JSON.stringify({
        stack,
        config: Object.fromEntries(config) as Record<string, string>,
        secretKeys: secret.map((key) => `synapse:${key}`),
    });
    return new Promise((resolve, reject) => {
        const args = [fixture, given];
        execFile(process.execPath, args, { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
            if (stdout === "") reject(error ?? new Error(stderr));
            else resolve(JSON.parse(stdout) as Run);
        });
    });
}
