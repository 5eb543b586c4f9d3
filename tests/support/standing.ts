import assert from "node:assert/strict";
import { docker } from "./homeserver.ts";

/** Fails if Docker still has a container, volume or network whose name has this prefix. */
export async function assertNothingLeft(prefix: string): Promise<void> {
    for (const list of [
        ["ps", "--all"],
        ["volume", "ls"],
        ["network", "ls"],
    ]) {
        const left = await docker(...list, "--quiet", "--filter", `name=${prefix}`);
        assert.equal(left, "", list.join(" "));
    }
}

/** Names of a stack's containers, also of those that do not run. */
export function containersOf(prefix: string): Promise<string> {
    return docker("ps", "--all", "--format", "{{.Names}}", "--filter", `name=${prefix}`);
}

/** Names of a stack's volumes. */
export function volumesOf(prefix: string): Promise<string> {
    return docker("volume", "ls", "--format", "{{.Name}}", "--filter", `name=${prefix}`);
}
