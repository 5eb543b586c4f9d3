import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dump } from "js-yaml";
import { images } from "./homeserver.ts";

const ROOT = join(import.meta.dirname, "../..");

/** How a run of the Pulumi CLI ended. */
export interface Outcome {
    readonly code: number | null;
    /** Both streams. */
    readonly printed: string;
}

/** Of the CLI's own encryption. */
export const PASSPHRASE = "a passphrase for tests";

/** The setting that is written by the CLI alone, encrypted; and so is the password of a database. */
const SECRET_SETTING = "secretConfig";

/** The setting `backup`, with its secrets apart. */
function withoutSecrets(given: unknown) {
    const { environment, password, sftp, ...backup } = (given ?? {}) as Record<string, unknown>;
    return { backup, secrets: { environment, password, sftp } };
}

/** The texts in an object, and the path of each as `pulumi config set --path` takes it. */
function leaves(path: string, value: unknown): [path: string, text: string][] {
    if (typeof value === "string") return [[path, value]];
    return Object.entries(value ?? {}).flatMap(([key, inner]) => leaves(`${path}.${key}`, inner));
}

/** A stack of the real program under the real CLI, with a file backend and a copy of the project of its own. */
export class PulumiStack {
    readonly stack: string;
    /** Prefix of the stack's Docker objects, and the name of the server's container. */
    readonly name: string;
    readonly #directory = mkdtempSync(join(tmpdir(), "pulumi-"));
    readonly #project: string;
    /** Everything that the CLI has printed so far. */
    printed = "";
    /** What the CLI's environment has beside that of the tests. */
    environment: Readonly<Record<string, string>> = {};

    /** @param project directory of the Pulumi project: the program's own, or an example's. */
    constructor(project = ".", stack = `real-${randomBytes(3).toString("hex")}`) {
        this.stack = stack;
        this.name = `synapse-${stack}`;
        this.#project = join(this.#directory, project);
        const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
            cwd: ROOT,
        })
            .toString()
            .split("\0")
            .filter((file) =>
                /^(commands\/|components\/|scripts\/|settings\/|examples\/|[^/]+\.(ts|json)$|Pulumi\.yaml$)/.test(
                    file,
                ),
            );
        for (const file of files) cpSync(join(ROOT, file), join(this.#directory, file));
        symlinkSync(join(ROOT, "node_modules"), join(this.#directory, "node_modules"));
        mkdirSync(join(this.#directory, "state"));
    }

    /** Writes the stack's settings; the first call makes the stack. */
    async configure(settings: Record<string, unknown>): Promise<void> {
        if (this.printed === "") {
            const made = await this.run("stack", "init", this.stack);
            if (made.code !== 0) throw new Error(made.printed);
        }
        const { password, ...database } = (settings.database ?? {}) as { readonly password?: string };
        const { backup, secrets } = withoutSecrets(settings.backup);
        const config = {
            serverName: "localhost",
            images,
            ...settings,
            ...(settings.database === undefined ? {} : { database }),
            ...(settings.backup === undefined ? {} : { backup }),
        };
        const plain = Object.entries(config).filter(([key]) => key !== SECRET_SETTING);
        const qualified = Object.fromEntries(plain.map(([key, value]) => [`synapse:${key}`, value]));
        // The salt of the passphrase is written again by the CLI.
        writeFileSync(join(this.#directory, `Pulumi.${this.stack}.yaml`), dump({ config: qualified }));
        for (const [path, text] of leaves(`synapse:${SECRET_SETTING}`, settings[SECRET_SETTING]))
            await this.must("config", "set", "--secret", "--path", path, text);
        for (const [path, text] of leaves("synapse:backup", secrets))
            await this.must("config", "set", "--secret", "--path", path, text);
        if (password !== undefined)
            await this.must("config", "set", "--secret", "--path", "synapse:database.password", password);
    }

    /** For a stack that is to find this one. */
    get backend(): Readonly<Record<string, string>> {
        return { PULUMI_BACKEND_URL: `file://${join(this.#directory, "state")}` };
    }

    /** Where the CLI runs. */
    get place(): { readonly cwd: string; readonly env: NodeJS.ProcessEnv } {
        const env = {
            ...process.env,
            ...this.backend,
            PULUMI_CONFIG_PASSPHRASE: PASSPHRASE,
            PULUMI_SKIP_UPDATE_CHECK: "true",
            ...this.environment,
        };
        return { cwd: this.#project, env };
    }

    run(...args: string[]): Promise<Outcome> {
        return this.ended(this.start(...args));
    }

    /** As {@link run}, or fails with what was printed. */
    async must(...args: string[]): Promise<Outcome> {
        const outcome = await this.run(...args);
        if (outcome.code !== 0)
            throw new Error(`pulumi ${args.join(" ")} exited with ${outcome.code}:\n${outcome.printed}`);
        return outcome;
    }

    up(): Promise<Outcome> {
        return this.must("up", "--yes", "--skip-preview");
    }

    async output(name: string): Promise<unknown> {
        const { printed } = await this.must("stack", "output", "--json");
        return (JSON.parse(printed.slice(printed.indexOf("{"))) as Record<string, unknown>)[name];
    }

    start(...args: string[]): ChildProcess {
        return spawn(
            "pulumi",
            [...args, "--non-interactive", ...(args[0] === "stack" ? [] : ["--stack", this.stack])],
            {
                ...this.place,
                stdio: ["ignore", "pipe", "pipe"],
            },
        );
    }

    async ended(child: ChildProcess): Promise<Outcome> {
        let printed = "";
        for (const stream of [child.stdout, child.stderr])
            stream?.on("data", (chunk) => (printed += String(chunk)));
        // Not "close": after kill -9, plugins may hold the streams for a while.
        const code = await new Promise<number | null>((resolve) => child.on("exit", resolve));
        await new Promise((resolve) => setTimeout(resolve, 50));
        this.printed += printed;
        return { code, printed };
    }

    remove(): void {
        rmSync(this.#directory, { recursive: true });
    }
}
