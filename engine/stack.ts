// The door of the embedded engine: whoever carries a program out comes in here. The SDK and the Docker client are
// loaded no earlier than they are needed, since that takes longer than most refusals.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { forProgram, type Project } from "./config.ts";
import type { Values } from "./inputs.ts";
import { type ConfigArgs, configOf } from "./prepare.ts";
import { lock, StackRecord } from "./record.ts";
import { NoSuchStack, Refusal } from "./refusal.ts";
import type { Report } from "./report.ts";
import { mapSecrets } from "./secrets.ts";
import type { World } from "./world.ts";

/** The stack that a run is about. */
export interface StackArgs {
    readonly project: Project;
    readonly stack: string;
    /** Tells the person at the terminal what happens. */
    readonly report: Report;
    /** Once aborted, nothing new is started. */
    readonly signal: AbortSignal;
}

export interface UpArgs extends StackArgs, ConfigArgs {
    /** The program's main file, seen from the project's directory. */
    readonly main: string;
}

export interface UpResult {
    readonly succeeded: boolean;
    /** The stack's outputs. What is secret of them is not shown. */
    readonly outputs: Values;
}

export interface DownArgs extends StackArgs {
    /** Whether what is protected goes, too. */
    readonly evenProtected: boolean;
}

/** Carries the program out. Once per process: see `run` in program.ts. */
export async function up(args: UpArgs): Promise<UpResult> {
    const { project, stack, report, signal } = args;
    const record = take(args);
    const main = resolve(project.root, args.main);
    if (!existsSync(main)) throw new Refusal(`there is no ${main}`);
    // As under Pulumi: what the program says of paths is seen from there.
    process.chdir(project.root);
    const { config, secretKeys } = await configOf(args);

    const [{ functions, provider }, { run }] = await Promise.all([
        import("./provider.ts"),
        import("./program.ts"),
    ]);
    const world = await openWorld(args, record);
    const commands = { root: project.root, record, report, signal };
    const register = provider(world, commands);
    const seen = new Set<string>();
    const { failures, outputs } = await run({
        project: project.name,
        stack,
        main,
        config: forProgram(config),
        secretKeys,
        register: (resource) => {
            seen.add(resource.urn);
            return register(resource);
        },
        invoke: functions(commands),
        secrets: report.secrets,
        signal,
    });
    for (const failure of failures) report.error(failure);
    const succeeded = failures.length === 0 && !signal.aborted;
    const shown = mapSecrets(outputs, () => "[secret]") as Values;
    if (succeeded) {
        const named = Object.entries(record.contents.commands).filter(([urn]) => seen.has(urn));
        record.contents.commands = Object.fromEntries(named);
        record.contents.outputs = shown;
    }
    record.save();
    if (succeeded) await world.prune();
    report.summary(succeeded);
    return { succeeded, outputs: shown };
}

/** Removes the stack. Returns the names of what was kept, since it is protected. */
export async function down({ evenProtected, ...args }: DownArgs): Promise<readonly string[]> {
    const record = take(args);
    const world = await openWorld(args, record);
    // A lost record is no reason to leave anything standing.
    if (!record.existed && world.isEmpty()) throw new NoSuchStack(args.stack);
    const kept = await world.removeAll(evenProtected);
    // As after `pulumi destroy`, commands run anew; but what is protected stays so.
    const commands = Object.entries(record.contents.commands);
    record.contents.commands = Object.fromEntries(
        commands.filter(([, { protect }]) => protect === true && !evenProtected),
    );
    record.contents.outputs = {};
    record.save();
    args.report.summary(!args.signal.aborted);
    return kept;
}

/** The outputs of the stack's last successful `up`. What is secret of them is not shown. */
export function outputs({ project, stack }: Pick<StackArgs, "project" | "stack">): Values {
    checkName(stack);
    const record = new StackRecord(directoryOf(project), stack);
    if (!record.existed) throw new NoSuchStack(stack);
    return record.contents.outputs;
}

/** Keeps other runs off the stack for as long as this process lives. */
function take({ project, stack }: StackArgs): StackRecord {
    checkName(stack);
    const directory = directoryOf(project);
    process.once("exit", lock(directory, stack));
    return new StackRecord(directory, stack);
}

function checkName(stack: string): void {
    if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(stack)) throw new Refusal(`${stack} is no name for a stack`);
}

function directoryOf({ root }: Project): string {
    return join(root, ".state");
}

async function openWorld({ project, stack, report, signal }: StackArgs, record: StackRecord): Promise<World> {
    const [{ connect }, { World }] = await Promise.all([import("./docker.ts"), import("./world.ts")]);
    return World.open({ docker: connect(), stack: `${project.name}/${stack}`, record, report, signal });
}
