import { restoring } from "./commands.ts";
import { seedCompiled } from "./compiled.ts";
import type { Deployment, DeploymentOptions, Environment, Running, Settings } from "./deployment.ts";
import { docker, finished, images, type Outputs, type Run, registerUser, signingKey } from "./homeserver.ts";
import { type Outcome, PASSPHRASE, PulumiStack } from "./pulumi.ts";

const DEFAULTS = {
    serverName: "localhost",
    ephemeral: true,
    upgrade: { dump: false },
    listenAddresses: { public: ["127.0.0.1"] },
};

/** A throw-away stack under the real Pulumi CLI and its providers. */
export class PulumiDeployment implements Deployment {
    readonly cli = new PulumiStack();
    readonly stack = this.cli.stack;
    readonly name = this.cli.name;
    readonly nginx = `${this.name}-nginx`;
    readonly environment = { ...this.cli.backend, PULUMI_CONFIG_PASSPHRASE: PASSPHRASE };
    readonly #settings: Settings;
    readonly #compiles: boolean;

    constructor(settings: Settings, { compiles = false }: DeploymentOptions = {}) {
        this.#compiles = compiles;
        this.#settings = { ...DEFAULTS, ...settings };
    }

    async up(settings: Settings = {}, environment: Environment = {}): Promise<Run> {
        const { ended } = await this.begin(settings, environment);
        const run = await ended;
        return run.code === 0 ? { ...run, outputs: await this.#outputs() } : run;
    }

    async mustUp(settings: Settings = {}, environment: Environment = {}): Promise<Run> {
        const run = await this.up(settings, environment);
        if (run.code !== 0) throw new Error(`up exited with ${run.code}:\n${run.printed}`);
        return run;
    }

    async begin(settings: Settings = {}, environment: Environment = {}): Promise<Running> {
        await this.#configure(settings, environment);
        const child = this.cli.start("up", "--yes", "--skip-preview");
        return { process: child, ended: this.cli.ended(child).then(asRun) };
    }

    async restore(settings: Settings): Promise<Run> {
        await this.#configure(settings, {});
        const { cwd, env } = this.cli.place;
        return finished(restoring(cwd, this.stack, env));
    }

    async recover(): Promise<void> {
        await this.cli.must("cancel", "--yes");
    }

    async again(environment: Environment = {}): Promise<Run> {
        this.cli.environment = environment;
        return asRun(await this.cli.run("preview", "--refresh", "--expect-no-changes", "--diff"));
    }

    async preview(settings: Settings = {}, environment: Environment = {}): Promise<Run> {
        await this.#configure(settings, environment);
        return asRun(await this.cli.run("preview", "--diff"));
    }

    async record(): Promise<string> {
        return (await this.cli.must("stack", "export")).printed;
    }

    async forget(): Promise<void> {
        await this.cli.must("stack", "rm", "--force", "--yes", "--preserve-config", "--stack", this.stack);
        await this.cli.must("stack", "init", this.stack);
    }

    async down(): Promise<Run> {
        return asRun(await this.cli.run("destroy", "--yes"));
    }

    async destroy(): Promise<void> {
        await this.cli.run("cancel", "--yes");
        const { code, printed } = await this.cli.run("destroy", "--yes");
        this.cli.remove();
        // Another test would find its ports and its processor time taken.
        await removeAll(this.name);
        if (code !== 0) throw new Error(`destroy exited with ${code}:\n${printed}`);
    }

    signingKey(): Promise<string> {
        return signingKey(this.name);
    }

    registerUser(user: string, password: string): Promise<void> {
        return registerUser(this.name, user, password);
    }

    async #configure(settings: Settings, environment: Environment): Promise<void> {
        this.cli.environment = environment;
        if (!this.#compiles) await seedCompiled(images.synapse ?? "", this.name);
        await this.cli.configure({ ...this.#settings, ...settings });
    }

    async #outputs(): Promise<Outputs> {
        const { printed } = await this.cli.must("stack", "output", "--json");
        return JSON.parse(printed.slice(printed.indexOf("{"))) as Outputs;
    }
}

/** Removes what carries a stack's prefix, whoever made it. */
async function removeAll(prefix: string): Promise<void> {
    for (const [list, remove] of [
        [
            ["ps", "--all"],
            ["rm", "--force", "--volumes"],
        ],
        [
            ["volume", "ls"],
            ["volume", "rm"],
        ],
        [
            ["network", "ls"],
            ["network", "rm"],
        ],
    ] as const) {
        const found = await docker(...list, "--quiet", "--filter", `name=${prefix}`);
        if (found !== "") await docker(...remove, ...found.split("\n"));
    }
}

const SUMMARY = {
    created: "created",
    updated: "updated",
    replaced: "replaced",
    deleted: "removed",
    unchanged: "same",
};

/** The CLI's own count of what it did stands at the end: `+ 3 created`, `12 unchanged`. */
function asRun({ code, printed }: Outcome): Run {
    const counts = Object.entries(SUMMARY).flatMap(([said, change]) => {
        const count = new RegExp(`(\\d+) ${said}\\s*$`, "m").exec(printed)?.[1];
        return count === undefined ? [] : [[change, Number(count)] as const];
    });
    return { code, printed, changes: Object.fromEntries(counts), outputs: {} as Outputs };
}
