// Before anything that loads the SDK.
import "../scripts/quick-sdk.js";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findProject } from "../engine/config.ts";
import { messageOf } from "../engine/failures.ts";
import { NoSuchStack, Refusal } from "../engine/refusal.ts";
import { Report } from "../engine/report.ts";
import { down, outputs, type StackArgs, up } from "../engine/stack.ts";
import { CommandError } from "./failure.ts";
import { afterUp, asText, whole } from "./outputs.ts";
import { kept, noSuchStack } from "./stack-words.ts";

const USAGE = `Carries the Pulumi program out on the local Docker engine, without the Pulumi CLI.

  up      [--stack NAME] [--main FILE] [--config JSON] [--json FILE]
          --lan [ADDRESS]       for a look from a phone: on this machine's network, with a page for the phone
          --page-port PORT      where that page is served, 8081 unless given
  down    [--stack NAME] [--volumes]     --volumes removes protected data too
  output  [--stack NAME] [OUTPUT]
`;

const OPTIONS = {
    stack: { type: "string", default: "local" },
    main: { type: "string", default: "index.ts" },
    config: { type: "string" },
    json: { type: "string" },
    lan: { type: "boolean", default: false },
    "page-port": { type: "string", default: "8081" },
    volumes: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
} as const;

type Flags = ReturnType<typeof parse>["values"];

const report = new Report();
const interrupt = new AbortController();

process.exitCode = 1; // until proven otherwise: Node might run out of work early
try {
    const code = await main();
    process.exitCode = interrupt.signal.aborted ? 130 : code;
} catch (error) {
    report.error(error instanceof CommandError ? error.message : messageOf(error));
    process.exitCode = interrupt.signal.aborted ? 130 : 1;
}
process.exit();

async function main(): Promise<number> {
    const { values: flags, positionals } = parse();
    const [command, ...rest] = positionals;
    if (flags.help || command === undefined) {
        report.say(USAGE);
        return flags.help ? 0 : 1;
    }
    const args = { project: findProject(), stack: flags.stack, report, signal: interrupt.signal };
    if (command === "up" && flags.lan) return share(args, flags, rest[0]);
    listenForInterrupts();
    switch (command) {
        case "up":
            return (await bringUp(args, flags)) ? 0 : 1;
        case "down":
            await takeDown(args, flags);
            return 0;
        case "output":
            await tell(args, rest[0]);
            return 0;
        default:
            throw new Refusal(`unknown command ${command}\n\n${USAGE}`);
    }
}

async function bringUp(args: StackArgs, flags: Flags): Promise<boolean> {
    const isOwn = args.project.root === join(import.meta.dirname, "..");
    const own = isOwn
        ? (await import("./own-program.ts")).ownProgram(args.stack, (line) => report.say(line))
        : {};
    const result = await up({ ...args, ...own, main: flags.main, overrides: overrides(flags.config) });
    if (result.succeeded) afterUp(result.outputs).forEach(say);
    if (flags.json !== undefined) {
        writeFileSync(flags.json, JSON.stringify({ changes: report.changes, outputs: result.outputs }));
    }
    return result.succeeded;
}

/** Brings it up in a process of its own, which is told of interrupts by this one. */
async function share(args: StackArgs, flags: Flags, address: string | undefined): Promise<number> {
    const { shareOnLan } = await import("./lan/share.ts");
    const { config, json, main, "page-port": pagePort } = flags;
    return shareOnLan(args, { address, pagePort, main, overrides: overrides(config), json });
}

async function takeDown(args: StackArgs, { volumes }: Flags): Promise<void> {
    const names = await inOurWords(args, "down", () => down({ ...args, evenProtected: volumes }));
    if (names.length > 0) report.say(kept(names, args.stack));
}

async function tell(args: StackArgs, name: string | undefined): Promise<void> {
    const known = await inOurWords(args, "output", () => outputs(args));
    if (name === undefined) whole(known).forEach(say);
    else if (known[name] === undefined) throw new Refusal(`the last successful run has no output ${name}`);
    else report.say(asText(known[name]));
}

/** The engine knows nothing of npm's commands, nor of who else may have made a stack. */
async function inOurWords<T>(
    { stack }: StackArgs,
    command: "down" | "output",
    work: () => T | Promise<T>,
): Promise<T> {
    try {
        return await work();
    } catch (error) {
        throw error instanceof NoSuchStack ? new CommandError(noSuchStack(stack, command)) : error;
    }
}

function say(line: string): void {
    report.say(line);
}

function parse() {
    try {
        return parseArgs({ options: OPTIONS, allowPositionals: true });
    } catch (error) {
        throw new Refusal(`${(error as Error).message}\n\n${USAGE}`);
    }
}

function overrides(json: string | undefined): Record<string, unknown> | undefined {
    if (json === undefined) return undefined;
    try {
        const value: unknown = JSON.parse(json);
        if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
    } catch {
        // The message of JSON.parse would show the value, which may hold a secret.
    }
    throw new Refusal('--config wants a JSON object, such as {"serverName":"example.org"}');
}

/** The first one lets what is under way come to its end, and the second ends the process. */
function listenForInterrupts(): void {
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
}
