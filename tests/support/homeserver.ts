import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { dump } from "js-yaml";
import { LABELS } from "../../engine/docker.ts";
import { ensureImages } from "../../images/ensure.ts";
import { readSettings } from "../../settings/read.ts";
import { restoring } from "./commands.ts";
import { seedCompiled } from "./compiled.ts";
import type { Deployment, DeploymentOptions, Running } from "./deployment.ts";

const ROOT = join(import.meta.dirname, "../..");

/** The official images, or their equivalents where no registry answers. */
export const images = await ensureImages(
    readSettings("test", { serverName: "localhost", tls: '{"mode":"local-ca"}' }, () => false).images,
    () => {},
);

/** How a run of the program ended. */
export interface Run {
    readonly code: number | null;
    /** Both streams. */
    readonly printed: string;
    readonly changes: Partial<Record<"created" | "updated" | "replaced" | "removed" | "same", number>>;
    readonly outputs: Outputs;
}

/** The stack outputs that tests use. */
export interface Outputs {
    readonly clientUrl: string;
    readonly verifyKey: string;
    readonly caCertificate?: string;
    readonly warnings: readonly string[];
    readonly publishedPorts: {
        readonly synapse: number;
        readonly http: number;
        readonly https: number;
        readonly federation: number;
    };
}

/** A throw-away stack of the real program, carried out by the embedded engine. */
export class Homeserver implements Deployment {
    readonly stack = `test-${randomBytes(3).toString("hex")}`;
    /** Prefix of the stack's Docker objects, and the name of the server's container. */
    readonly name = `synapse-${this.stack}`;
    readonly nginx = `${this.name}-nginx`;
    readonly environment = {};
    readonly #settings: Record<string, unknown>;
    #last: Record<string, unknown> = {};

    readonly #compiles: boolean;

    constructor(settings: Record<string, unknown>, { compiles = false }: DeploymentOptions = {}) {
        this.#compiles = compiles;
        this.#settings = {
            serverName: "localhost",
            ephemeral: true,
            // A step more in each run, which has a test of its own.
            upgrade: { dump: false },
            listenAddresses: { public: ["127.0.0.1"] },
            images,
            ...settings,
        };
    }

    /** Brings the stack up, with settings that differ from its own for this run. */
    async up(settings: Record<string, unknown> = {}, environment: Record<string, string> = {}): Promise<Run> {
        const directory = mkdtempSync(join(tmpdir(), "homeserver-"));
        try {
            const file = join(directory, "result.json");
            await this.#seed();
            const run = await finished(this.start(settings, environment, "--json", file));
            const result = run.code === 0 ? (JSON.parse(readFileSync(file, "utf8")) as object) : {};
            return { ...run, ...result };
        } finally {
            rmSync(directory, { recursive: true });
        }
    }

    /** As {@link up}, or fails with what was printed. */
    async mustUp(
        settings: Record<string, unknown> = {},
        environment: Record<string, string> = {},
    ): Promise<Run> {
        const run = await this.up(settings, environment);
        if (run.code !== 0) throw new Error(`up failed:\n${run.printed}`);
        return run;
    }

    /** Starts `up` and leaves it to the caller to wait for it or to kill it. */
    start(
        settings: Record<string, unknown>,
        environment: Record<string, string>,
        ...more: string[]
    ): ChildProcess {
        this.#last = settings;
        const config = JSON.stringify({ ...this.#settings, ...settings });
        return this.#engine(["up", "--config", config, ...more], environment);
    }

    async begin(
        settings: Record<string, unknown> = {},
        environment: Record<string, string> = {},
    ): Promise<Running> {
        await this.#seed();
        const child = this.start(settings, environment);
        return { process: child, ended: finished(child) };
    }

    async restore(settings: Record<string, unknown>): Promise<Run> {
        await this.#seed();
        this.#last = { ...settings, restore: "latest" };
        const file = join(ROOT, `Pulumi.${this.stack}.yaml`);
        const config = Object.entries({ ...this.#settings, ...settings });
        writeFileSync(
            file,
            dump({ config: Object.fromEntries(config.map(([key, value]) => [`synapse:${key}`, value])) }),
        );
        try {
            return await finished(restoring(ROOT, this.stack, process.env));
        } finally {
            rmSync(file);
        }
    }

    /** This engine's lock goes with its process. */
    recover(): Promise<void> {
        return Promise.resolve();
    }

    /** It has no preview, so the last `up` is really done again. */
    async again(environment: Record<string, string> = {}): Promise<Run> {
        const run = await this.up(this.#last, environment);
        const { same: _, ...changed } = run.changes;
        const idle = Object.values(changed).every((count) => count === 0);
        return { ...run, code: run.code === 0 && !idle ? 1 : run.code };
    }

    record(): Promise<string> {
        return Promise.resolve(readFileSync(join(ROOT, ".state", `${this.stack}.json`), "utf8"));
    }

    forget(): Promise<void> {
        rmSync(join(ROOT, ".state", `${this.stack}.json`));
        return Promise.resolve();
    }

    down(...flags: string[]): Promise<Run> {
        return finished(this.#engine(["down", ...flags], {}));
    }

    async destroy(): Promise<void> {
        const { code, printed } = await this.down("--volumes");
        rmSync(join(ROOT, ".state", `${this.stack}.json`), { force: true });
        // Where no run came as far as to make anything.
        if (printed.includes("there is no stack")) return;
        if (code !== 0) throw new Error(`down exited with ${code}:\n${printed}`);
    }

    signingKey(): Promise<string> {
        return signingKey(this.name);
    }

    registerUser(user: string, password: string): Promise<void> {
        return registerUser(this.name, user, password);
    }

    /** So that the engine takes the volume for its own, and removes it with the rest. */
    async #seed(): Promise<void> {
        if (!this.#compiles) await seedCompiled(this.name, `${LABELS.stack}=synapse/${this.stack}`);
    }

    #engine(args: readonly string[], environment: Record<string, string>): ChildProcess {
        return spawn(process.execPath, ["commands/stack.ts", ...args, "--stack", this.stack], {
            cwd: ROOT,
            env: { ...process.env, ...environment },
            stdio: ["ignore", "pipe", "pipe"],
        });
    }
}

/** The signing key of the server in a container, byte for byte. */
export function signingKey(container: string): Promise<string> {
    return docker("exec", container, "cat", "/data/localhost.signing.key");
}

/** Makes an administrator on the server in a container. */
export async function registerUser(container: string, user: string, password: string): Promise<void> {
    const account = ["-u", user, "-p", password, "-a"];
    const register = ["register_new_matrix_user", "-c", "/data/homeserver.yaml", ...account];
    await docker("exec", container, ...register, "http://localhost:8008");
}

/** What a child process printed, and its exit code. */
export async function finished(child: ChildProcess): Promise<Run> {
    let printed = "";
    for (const stream of [child.stdout, child.stderr])
        stream?.on("data", (chunk) => (printed += String(chunk)));
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
    return { code, printed, changes: {}, outputs: {} as Outputs };
}

/** Runs the docker client, and returns what it prints. */
export async function docker(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)("docker", args, { maxBuffer: 64 * 1024 * 1024 });
    return stdout.trim();
}

/** What the docker client prints on both of its streams: a container's log. */
export async function logs(container: string): Promise<string> {
    const { stdout, stderr } = await promisify(execFile)("docker", ["logs", container], {
        maxBuffer: 64 * 1024 * 1024,
    });
    return stdout + stderr;
}

/** A field of `docker inspect`, in Go's template notation. */
export function inspect(object: string, format: string): Promise<string> {
    return docker("inspect", "--format", format, object);
}
