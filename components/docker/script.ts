import { readFileSync } from "node:fs";

/** The text of a script that stands beside a module: `script(import.meta.url, "start.sh")`. */
export function script(module: string, file: string): string {
    return readFileSync(new URL(file, module), "utf8");
}
