import { randomBytes } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Values } from "./inputs.ts";
import { Refusal } from "./refusal.ts";

/** What a command left behind. Without `stdout` it had to do with secrets, and is run again each time. */
export interface CommandRecord {
    readonly digest: string;
    readonly triggers: string;
    readonly stdout?: string;
    readonly stderr?: string;
    /** What is not secret of its inputs, as Pulumi's state has it: for hooks, and for whoever runs it once more. */
    readonly inputs: Values;
    /** Whether it outlives `down`, like what is protected of everything else. */
    readonly protect?: boolean;
}

interface Contents {
    /** Keys the digests of commands, so that nobody can guess a secret by its digest. */
    readonly salt: string;
    commands: Record<string, CommandRecord>;
    /** Containers that were made but never became healthy. */
    unhealthy: string[];
    /** Names of volumes to keep. A volume's labels cannot be changed, and one that was adopted has none. */
    protectedVolumes: string[];
    /** Digest of each volume's replacement trigger, for the same reason. */
    triggers: Record<string, string>;
    outputs: Values;
}

/**
 * What cannot be read from labels: the last outputs, and what commands did. Losing it only costs running the
 * commands again.
 */
export class StackRecord {
    readonly contents: Contents;
    /** Whether there was one before this run. */
    readonly existed: boolean;
    readonly #file: string;

    constructor(directory: string, stack: string) {
        this.#file = join(directory, `${stack}.json`);
        this.existed = existsSync(this.#file);
        this.contents = { ...empty(), ...read(this.#file) };
    }

    save(): void {
        const next = `${this.#file}.${process.pid}`;
        writeFileSync(next, `${JSON.stringify(this.contents, null, 2)}\n`, { mode: 0o600, flush: true });
        renameSync(next, this.#file);
    }
}

function empty(): Contents {
    const salt = randomBytes(32).toString("hex");
    return { salt, commands: {}, unhealthy: [], protectedVolumes: [], triggers: {}, outputs: {} };
}

function read(file: string): Partial<Contents> {
    try {
        return JSON.parse(readFileSync(file, "utf8")) as Partial<Contents>;
    } catch {
        return {}; // Never written, or damaged: either way it is made anew.
    }
}

/** Takes the stack for this process, or says who has it. Returns the way to give it back. */
export function lock(directory: string, stack: string): () => void {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const file = join(directory, `${stack}.lock`);
    const mine = `${file}.${process.pid}`;
    writeFileSync(mine, owner(process.pid), { mode: 0o600 });
    try {
        for (let attempt = 0; attempt < 3; attempt++) {
            if (link(mine, file)) return () => rmSync(file, { force: true });
            const holder = content(file);
            if (holder !== undefined && isAlive(holder)) {
                const [pid] = holder.split(" ");
                throw new Refusal(
                    `another run is at work on stack ${stack} (process ${pid}): wait for it to end`,
                );
            }
            breakLock(file, holder);
        }
        throw new Refusal(`another run has just started on stack ${stack}`);
    } finally {
        rmSync(mine, { force: true });
    }
}

/** Takes a dead holder's lock away, unless somebody else was faster and holds it by now. */
function breakLock(file: string, holder: string | undefined): void {
    const aside = `${file}.${process.pid}.stale`;
    try {
        renameSync(file, aside);
    } catch {
        return;
    }
    if (content(aside) !== holder) link(aside, file);
    rmSync(aside, { force: true });
}

function link(from: string, to: string): boolean {
    try {
        linkSync(from, to);
        return true;
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
        throw error;
    }
}

/** A process by its id and, as ids come back, the time it started. */
function owner(pid: number): string {
    const fields = content(`/proc/${pid}/stat`)?.split(") ")[1]?.split(" ");
    return `${pid} ${fields?.[19] ?? "?"}`;
}

function isAlive(holder: string): boolean {
    const pid = Number(holder.split(" ")[0]);
    try {
        process.kill(pid, 0);
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "EPERM";
    }
    return owner(pid) === holder;
}

function content(file: string): string | undefined {
    try {
        return readFileSync(file, "utf8");
    } catch {
        return undefined;
    }
}
