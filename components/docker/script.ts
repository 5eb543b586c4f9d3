import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The text of a script that stands beside a module: `script(import.meta.url, "start.sh")`. */
export function script(module: string, file: string): string {
    return readFileSync(new URL(file, module), "utf8");
}

/** As one word of a shell's. */
function quoted(path: string): string {
    return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/**
 * Where a file that stands beside a module is, as a command of the program's finds it: `pathOf(import.meta.url, "task.sh")`.
 *
 * Commands run where Pulumi.yaml is, and so does the program. The path is relative to that, so that another clone of
 * the project registers the same command.
 */
export function pathOf(module: string, file: string): string {
    return quoted(relative(process.cwd(), fileURLToPath(new URL(file, module))));
}
