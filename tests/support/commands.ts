import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const ROOT = join(import.meta.dirname, "../..");

/** How a command ended. */
export interface Typed {
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
    /** What `look` has returned while it ran, one for each look. */
    readonly seen: readonly string[];
}

/** Runs one of `commands/`, with `input` piped in, and looks around while it runs. */
export async function type(
    file: string,
    args: readonly string[],
    {
        environment = {},
        input = "",
        look,
    }: {
        readonly environment?: NodeJS.ProcessEnv;
        readonly input?: string;
        readonly look?: () => string;
    } = {},
): Promise<Typed> {
    const child = spawn(process.execPath, [join("commands", file), ...args], {
        cwd: ROOT,
        // A Pulumi CLI that nobody has logged in would be told of on standard error: this one knows no stack.
        env: {
            PULUMI_BACKEND_URL: pathToFileURL(tmpdir()).href,
            ...process.env,
            ...environment,
            DISPLAY: "",
            WAYLAND_DISPLAY: "",
        },
    });
    const streams = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
        child[name].setEncoding("utf8").on("data", (text: string) => (streams[name] += text));
    child.stdin.on("error", () => undefined).end(input);
    const seen: string[] = [];
    const timer = look && setInterval(() => seen.push(look()), 20);
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
    clearInterval(timer);
    return { code, ...streams, seen };
}

/** `npm run restore` of a stack, in a copy of this project. */
export function restoring(project: string, stack: string, environment: NodeJS.ProcessEnv): ChildProcess {
    return spawn(process.execPath, ["commands/restore.ts", "--stack", stack], {
        cwd: project,
        env: { ...environment, PULUMI_SKIP_CONFIRMATIONS: "true" },
        stdio: ["ignore", "pipe", "pipe"],
    });
}

/** Arguments and environments of all processes that this one may look at. */
export function processes(): string {
    return readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .flatMap((id) => ["cmdline", "environ"].map((file) => readOrNothing(`/proc/${id}/${file}`)))
        .join("\n")
        .replaceAll("\0", " ");
}

/** It may have ended, or be another user's. */
function readOrNothing(file: string): string {
    try {
        return readFileSync(file, "utf8");
    } catch {
        return "";
    }
}
