import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { CommandError } from "./failure.ts";

/** The Docker engine of a stack: what `docker --host` takes, or `DOCKER_HOST` and else the local one. */
export type DockerHost = string | undefined;

/** How a program ended. */
export interface Ended {
    /** Null when it was ended by a signal, as when it took too long. */
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
}

export interface RunOptions {
    /** What it reads from its standard input. */
    readonly input?: string;
    /** Milliseconds after which it is ended. */
    readonly patience?: number;
    readonly cwd?: string;
    readonly environment?: Readonly<Record<string, string>>;
}

/** Runs a program without a shell. Rejects only when there is no such program. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    const { input, patience, cwd, environment } = options;
    return new Promise((resolve, reject) => {
        const child = spawn(program, args, {
            cwd,
            env: { ...process.env, ...environment },
            stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
        });
        // Node's own `timeout` goes on when there is no such program, and keeps this process waiting.
        const timer = patience === undefined ? undefined : setTimeout(() => child.kill(), patience);
        const streams = { stdout: "", stderr: "" };
        for (const name of ["stdout", "stderr"] as const)
            child[name]?.setEncoding("utf8").on("data", (text: string) => (streams[name] += text));
        child.on("error", (error) => {
            clearTimeout(timer);
            reject(error);
        });
        child.on("close", (code) => {
            clearTimeout(timer);
            resolve({ code, ...streams });
        });
        // It may end without having read everything.
        child.stdin?.on("error", () => undefined).end(input);
    });
}

/** Runs the docker client for a stack's engine. */
export async function docker(
    host: DockerHost,
    args: readonly string[],
    options: RunOptions = {},
): Promise<Ended> {
    try {
        return await run("docker", [...hostArguments(host), ...args], {
            ...options,
            environment: { ...options.environment, ...environmentOf(host) },
        });
    } catch (error) {
        throw error instanceof Error ? withoutClient(error) : error;
    }
}

/** As {@link docker}: what it printed, or a failure that says why. */
export async function mustDocker(
    host: DockerHost,
    args: readonly string[],
    options: RunOptions = {},
): Promise<string> {
    const { code, stdout, stderr } = await docker(host, args, options);
    if (code !== 0) throw new CommandError(`docker ${args[0] ?? ""} failed: ${lastLine(stderr)}`);
    return stdout;
}

/** The docker client with streams that the caller decides on. */
export function startDocker(
    host: DockerHost,
    args: readonly string[],
    stdio: NonNullable<SpawnOptions["stdio"]>,
): ChildProcess {
    return spawn("docker", [...hostArguments(host), ...args], {
        env: { ...process.env, ...environmentOf(host) },
        stdio,
    });
}

/** The exit code that a child ends with. */
export function exitOf(child: ChildProcess): Promise<number> {
    return new Promise((resolve, reject) => {
        child.on("error", (error) => reject(withoutClient(error)));
        child.on("close", (code) => resolve(code ?? 130));
    });
}

/** The line that says why a program failed. */
export function lastLine(text: string): string {
    return text.trim().split("\n").at(-1)?.trim() ?? "";
}

function hostArguments(host: DockerHost): string[] {
    return host === undefined ? [] : ["--host", host];
}

/** A context chosen with `docker context use` is none of the deployment's business, so it must not be ours. */
function environmentOf(host: DockerHost): Record<string, string> {
    return host === undefined ? { DOCKER_CONTEXT: "default" } : {};
}

function withoutClient(error: Error): Error {
    return "code" in error && error.code === "ENOENT"
        ? new CommandError("There is no docker client on PATH; it is what reaches the server's containers.")
        : error;
}
