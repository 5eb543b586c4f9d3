import { spawn } from "node:child_process";
import { docker, finished } from "../support/homeserver.ts";
import { eventually } from "../support/http.ts";

/** Runs a command to its end, which an interrupt brings about; fails with what it printed. */
export async function run(
    command: readonly [string, ...string[]],
    environment: NodeJS.ProcessEnv,
    signal: AbortSignal,
): Promise<void> {
    signal.throwIfAborted();
    const [program, ...args] = command;
    const child = spawn(program, args, {
        env: { ...process.env, ...environment },
        stdio: ["ignore", "pipe", "pipe"],
        detached: true, // A group of its own, so that an interrupt ends the docker client, too.
    });
    const stop = () => child.pid !== undefined && process.kill(-child.pid, "SIGKILL");
    signal.addEventListener("abort", stop);
    const { code, printed } = await finished(child);
    signal.removeEventListener("abort", stop);
    signal.throwIfAborted();
    if (code !== 0) throw new Error(`the baseline's commands failed:\n${printed}`);
}

/** Removes every Docker object with a label, also those that the engine has only just been asked for. */
export async function removeLabelled(label: string): Promise<void> {
    const filter = ["--quiet", "--filter", `label=${label}`];
    const kinds: [list: string[], remove: string[]][] = [
        [
            ["ps", "--all"],
            ["rm", "--force", "--volumes"],
        ],
        [
            ["network", "ls"],
            ["network", "rm"],
        ],
        [
            ["volume", "ls"],
            ["volume", "rm"],
        ],
    ];
    const sweep = async () => {
        let left = 0;
        for (const [list, remove] of kinds) {
            const found = (await docker(...list, ...filter)).split("\n").filter((id) => id !== "");
            left += found.length;
            if (found.length > 0) await docker(...remove, ...found);
        }
        return left;
    };
    await eventually(30, sweep, (left) => left === 0);
}
