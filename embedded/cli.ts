// Before anything that loads the SDK.
import "../scripts/quick-sdk.js";
import { existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { findProject, forProgram, type Project, qualified, readConfig } from "./config.ts";
import { isObject, mapSecrets, Refusal, Secrets, type Values } from "./inputs.ts";
import { lock, StackRecord } from "./record.ts";
import { Report } from "./report.ts";

const USAGE = `Carries the Pulumi program out on the local Docker engine, without the Pulumi CLI.

  up      [--stack NAME] [--main FILE] [--config JSON] [--json FILE]
  down    [--stack NAME] [--volumes]     --volumes removes protected data too
  output  [--stack NAME] [OUTPUT]
`;

const OPTIONS = {
    stack: { type: "string", default: "local" },
    main: { type: "string", default: "index.ts" },
    config: { type: "string" },
    json: { type: "string" },
    volumes: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
} as const;

type Flags = ReturnType<typeof parse>["values"];

function parse() {
    return parseArgs({ options: OPTIONS, allowPositionals: true });
}

/** Brings images to this machine, and says by which reference each key of config `images` is to be used. */
export type EnsureImages = (
    wanted: Record<string, string>,
    log: (line: string) => void,
) => Promise<Record<string, string>>;

interface Session {
    readonly project: Project;
    readonly stack: string;
    readonly flags: Flags;
    readonly secrets: Secrets;
    readonly report: Report;
    readonly record: StackRecord;
    /** Aborted when the person at the terminal wants to stop. */
    readonly signal: AbortSignal;
    readonly ensureImages?: EnsureImages | undefined;
    /** Whether the program is this very project's. */
    readonly isOwn: boolean;
}

const secrets = new Secrets();
const report = new Report(secrets);
const interrupt = new AbortController();

process.exitCode = 1; // until proven otherwise: Node might run out of work early
let interrupted = 0;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
        // npm hands on a Ctrl-C that the terminal has already sent here.
        if (interrupted > 0 && Date.now() - interrupted > 500) process.exit(130);
        if (interrupted > 0) return;
        interrupted = Date.now();
        report.say("Interrupted: finishing what is under way. Interrupt again to leave it.");
        interrupt.abort();
    });
}
try {
    const succeeded = await main();
    process.exitCode = interrupt.signal.aborted ? 130 : succeeded ? 0 : 1;
} catch (error) {
    const expected =
        error instanceof Refusal ||
        // Pulumi's RunError: meant for people, without a stack. Its own check would load the whole SDK.
        (error instanceof Error && ("statusCode" in error || "__pulumiRunError" in error));
    report.error(
        expected ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error),
    );
    process.exitCode = interrupt.signal.aborted ? 130 : 1;
}
process.exit();

async function main(): Promise<boolean> {
    const { values: flags, positionals } = parse();
    const [command, ...rest] = positionals;
    const { stack } = flags;
    if (flags.help || command === undefined) {
        report.say(USAGE);
        return flags.help;
    }
    if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(stack)) throw new Refusal(`${stack} is no name for a stack`);
    const project = findProject();
    const directory = join(project.root, ".state");
    if (command === "output") return output(new StackRecord(directory, stack), rest[0]);
    if (command !== "up" && command !== "down") throw new Refusal(`unknown command ${command}\n\n${USAGE}`);

    const unlock = lock(directory, stack);
    process.on("exit", unlock);
    const record = new StackRecord(directory, stack);
    // Another project's settings are none of ours.
    const isOwn = project.root === join(import.meta.dirname, "..");
    const session = { project, stack, flags, secrets, report, record, isOwn, signal: interrupt.signal };
    if (command === "down") return down(session);
    return up({ ...session, ensureImages: isOwn ? await findImages() : undefined });
}

/** How images get here on a machine that reaches no registry, if this copy of the project comes with that. */
async function findImages(): Promise<EnsureImages | undefined> {
    const file = join(import.meta.dirname, "images.ts");
    if (!existsSync(file)) return undefined;
    const images = (await import(pathToFileURL(file).href)) as { ensureImages?: EnsureImages };
    return images.ensureImages;
}

async function up(session: Session): Promise<boolean> {
    const { project, stack, flags, record, signal } = session;
    const main = resolve(project.root, flags.main);
    if (!existsSync(main)) throw new Refusal(`there is no ${main}`);
    const config = await withImages(session, readConfig(project, stack, overrides(flags.config)));

    const [{ connect }, { World }, { functions, provider }, { run }] = await Promise.all([
        import("./docker.ts"),
        import("./world.ts"),
        import("./provider.ts"),
        import("./engine.ts"),
    ]);
    const world = await World.open({
        docker: connect(),
        stack: `${project.name}/${stack}`,
        record,
        report,
        signal,
    });
    const commands = { root: project.root, record, secrets, report, signal };
    const register = provider(world, commands);
    const seen = new Set<string>();
    const { failures, outputs } = await run({
        project: project.name,
        stack,
        main,
        config: forProgram(config),
        secretKeys: await secretKeys(session, config),
        register: (resource) => {
            seen.add(resource.urn);
            return register(resource);
        },
        invoke: functions(commands),
        secrets,
        signal,
    });
    for (const failure of failures) report.error(failure);
    const succeeded = failures.length === 0 && !signal.aborted;
    if (succeeded) {
        const commands = Object.entries(record.contents.commands).filter(([urn]) => seen.has(urn));
        record.contents.commands = Object.fromEntries(commands);
        record.contents.outputs = shown(outputs);
    }
    record.save();
    if (succeeded) await world.prune();
    report.summary(succeeded);
    if (succeeded)
        for (const [name, value] of Object.entries(shown(outputs)))
            report.say(`  ${name}: ${inOneLine(name, text(value))}`);
    if (succeeded)
        report.say("Stop it with `npm stop`: the data is kept. `npm stop -- --volumes` removes that too.");
    if (flags.json !== undefined) {
        writeFileSync(flags.json, JSON.stringify({ changes: report.changes, outputs: shown(outputs) }));
    }
    return succeeded;
}

/** Faults in the settings come to light here, before an image is fetched or built for them. */
async function withImages(session: Session, config: Values): Promise<Values> {
    const { project, stack, ensureImages } = session;
    if (ensureImages === undefined) return config;
    const { ownConfig, readSettings } = await import("../settings/read.ts");
    const { usedImages } = await import("../settings/images.ts");
    const secret = await secretKeys(session, config);
    const settings = readSettings(stack, ownConfig(project.name, forProgram(config)), (key) =>
        secret.includes(qualified(project.name, key)),
    );
    const references = await ensureImages(usedImages(settings), (line) => report.say(line));
    return { ...config, [qualified(project.name, "images")]: { ...settings.images, ...references } };
}

/**
 * What the program is told is secret. This engine knows of no encryption, so all settings are given in the clear; what
 * the project says is a secret is treated as one from here on.
 */
async function secretKeys({ project, isOwn }: Session, config: Values): Promise<string[]> {
    if (!isOwn) return [];
    const { ownConfig, settingsWithSecrets } = await import("../settings/read.ts");
    const keys = settingsWithSecrets(ownConfig(project.name, forProgram(config)));
    return keys.map((key) => qualified(project.name, key));
}

async function down({ project, stack, flags, record, signal }: Session): Promise<boolean> {
    const [{ connect }, { World }] = await Promise.all([import("./docker.ts"), import("./world.ts")]);
    const world = await World.open({
        docker: connect(),
        stack: `${project.name}/${stack}`,
        record,
        report,
        signal,
    });
    const kept = await world.removeAll(flags.volumes);
    // As after `pulumi destroy`, commands run anew; but what is protected stays so.
    const commands = Object.entries(record.contents.commands);
    record.contents.commands = Object.fromEntries(
        commands.filter(([, { protect }]) => protect === true && !flags.volumes),
    );
    record.contents.outputs = {};
    record.save();
    report.summary(!signal.aborted);
    if (kept.length > 0) report.say(`Kept, as they hold data: ${kept.join(", ")} (--volumes removes them)`);
    return true;
}

function output({ contents: { outputs } }: StackRecord, name: string | undefined): boolean {
    if (name === undefined) {
        for (const [key, value] of Object.entries(outputs)) report.say(`${key}: ${text(value)}`);
    } else if (outputs[name] === undefined) {
        throw new Refusal(`the last successful run has no output ${name}`);
    } else {
        report.say(text(outputs[name]));
    }
    return true;
}

function inOneLine(name: string, value: string): string {
    const lines = value.trimEnd().split("\n").length;
    return lines === 1 ? value : `(${lines} lines: npm run --silent output ${name})`;
}

function overrides(json: string | undefined): Values | undefined {
    if (json === undefined) return undefined;
    try {
        const value: unknown = JSON.parse(json);
        if (isObject(value)) return value;
    } catch {
        // The message of JSON.parse would show the value, which may hold a secret.
    }
    throw new Refusal('--config wants a JSON object, such as {"serverName":"example.org"}');
}

function shown(outputs: Values): Values {
    return mapSecrets(outputs, () => "[secret]") as Values;
}

function text(value: unknown): string {
    return typeof value === "string" ? value : JSON.stringify(value);
}
