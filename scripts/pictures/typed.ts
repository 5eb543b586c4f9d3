import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { COLUMNS } from "./svg.ts";

/** Where a command runs. */
export interface Place {
    readonly cwd: string;
    readonly env: NodeJS.ProcessEnv;
}

/** What a command prints to a person who types it: it runs in a terminal, and so with its colours. */
export async function typed(command: string, { cwd, env }: Place): Promise<string> {
    // `script` is util-linux's, as on Debian; its terminal would else have no size.
    const child = spawn("script", ["-qec", `stty cols ${COLUMNS} rows 50; ${command}`, "/dev/null"], {
        cwd,
        env: { ...env, TERM: "xterm-256color" },
        stdio: ["ignore", "pipe", "inherit"],
    });
    const code = new Promise<number | null>((resolve, reject) => {
        child.on("close", resolve);
        child.on("error", reject);
    });
    const printed = await text(child.stdout);
    if ((await code) !== 0) throw new Error(`${command} failed:\n${printed}`);
    return printed;
}
