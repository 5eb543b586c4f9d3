import assert from "node:assert/strict";
import { type ChildProcess, execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Deployment, Environment, Settings } from "./deployment.ts";
import { docker } from "./homeserver.ts";

/**
 * Kills `up` with SIGKILL when so many milliseconds have passed, and does what a person does before the next one.
 * False when there was nothing left to interrupt.
 */
export async function killed(
    server: Deployment,
    milliseconds: number,
    settings: Settings = {},
    environment: Environment = {},
): Promise<boolean> {
    const up = await server.begin(settings, environment);
    const timer = setTimeout(() => up.process.kill("SIGKILL"), milliseconds);
    const { code, printed } = await up.ended;
    clearTimeout(timer);
    if (code !== null) {
        assert.equal(code, 0, printed);
        return false;
    }
    await server.recover();
    return true;
}

/** Milliseconds that something takes. */
export async function duration(act: () => Promise<unknown>): Promise<number> {
    const started = Date.now();
    await act();
    return Date.now() - started;
}

/** Fails with what would change, if anything would. */
export async function assertIdle(server: Deployment, environment: Environment = {}): Promise<void> {
    const { code, printed } = await server.again(environment);
    assert.equal(code, 0, printed);
}

/** Kills a process and everything that it has started, with SIGKILL. What runs in containers goes on. */
export async function killTree({ pid }: ChildProcess): Promise<void> {
    assert.ok(pid);
    const { stdout } = await promisify(execFile)("ps", ["-eo", "pid=,ppid="]);
    const processes = stdout
        .trim()
        .split("\n")
        .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
    const tree = [pid];
    for (const parent of tree) tree.push(...processes.filter(([, of]) => of === parent).map(([own]) => own));
    for (const own of tree) {
        try {
            process.kill(own, "SIGKILL");
        } catch (error) {
            // One that has ended meanwhile.
            if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
        }
    }
}

/** Id of the container that moves a server's data from SQLite, once it is at it; empty without one. */
export async function moverOf(server: string): Promise<string> {
    const running = ["ps", "--no-trunc", "--filter", `volume=${server}-data`];
    const listed = await docker(...running, "--format", "{{.ID}} {{.Command}}");
    for (const line of listed.split("\n").filter((words) => words.includes("Moves the server"))) {
        const [id = ""] = line.split(" ");
        const processes = await docker("top", id, "-eo", "pid,args").catch(() => "");
        if (processes.includes("synapse._scripts.")) return id;
    }
    return "";
}

/** Id of the container that copies a server's data to another major of PostgreSQL, once it is at it; empty without one. */
export async function copierOf(server: string): Promise<string> {
    const running = ["ps", "--no-trunc", "--filter", `volume=${server}-postgres`];
    const listed = await docker(...running, "--format", "{{.ID}} {{.Command}}");
    for (const line of listed.split("\n").filter((words) => words.includes("Copies the database from"))) {
        const [id = ""] = line.split(" ");
        // Its own arguments have every word in them.
        const processes = await docker("top", id, "-eo", "pid,comm").catch(() => "");
        if (/ (initdb|postgres|pg_dump|pg_restore)$/m.test(processes)) return id;
    }
    return "";
}
