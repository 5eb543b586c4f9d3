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
