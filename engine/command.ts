import { spawn } from "node:child_process";
import { resolve } from "node:path";
import type * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { digest, refuseUnknown, type Values, without } from "./inputs.ts";
import type { StackRecord } from "./record.ts";
import { Refusal } from "./refusal.ts";
import type { Registered, Registration } from "./registration.ts";
import type { Change, Report } from "./report.ts";

type CommandArgs = pulumi.Unwrap<command.local.CommandArgs>;
const RUN_ARGS = [
    "command",
    "environment",
    "stdin",
    "dir",
    "interpreter",
    "logging",
    "addPreviousOutputInEnv",
] as const satisfies (keyof command.local.RunArgs)[];
const [, ...COMMON_ARGS] = RUN_ARGS;
const ARGS = ["create", "update", "triggers", ...COMMON_ARGS] as const satisfies (keyof CommandArgs)[];

export interface CommandContext {
    readonly root: string;
    readonly record: StackRecord;
    readonly report: Report;
    readonly signal: AbortSignal;
}

interface Streams {
    readonly stdout: string;
    readonly stderr: string;
}

/** Runs a `local.Command` as its provider does: if it is new, if its inputs changed, or if it failed before. */
export async function applyCommand(resource: Registration, context: CommandContext): Promise<Registered> {
    refuseUnknown("local.Command", resource.inputs, ARGS);
    const { record, report } = context;
    const { salt, commands } = record.contents;
    const args = resource.inputs as unknown as CommandArgs;
    const inputs = without(resource.inputs, [...resource.ignoreChanges, "triggers"]);
    const now = {
        digest: digest(inputs, salt),
        triggers: digest([args.triggers, resource.replacementTrigger], salt),
    };
    const before = commands[resource.urn];
    const change = changeOf(before, now);
    const secret = resource.secretInputs.length > 0 ? ["stdout", "stderr"] : resource.additionalSecretOutputs;
    const answer = ({ stdout, stderr }: Streams): Registered => ({
        id: resource.urn,
        outputs: { ...resource.inputs, stdout, stderr },
        secretOutputs: secret,
    });

    if (
        change === "same" &&
        before?.stdout !== undefined &&
        before.stderr !== undefined &&
        secret.length === 0
    ) {
        report.done(change, `command ${resource.name}`);
        return answer({ stdout: before.stdout, stderr: before.stderr });
    }
    const { beforeUpdate } = resource.hooks;
    if (change === "created" || change === "replaced") await resource.hooks.beforeCreate();
    else if (change === "updated") await beforeUpdate?.(before?.inputs ?? {});
    const started = Date.now();
    // A replacement is a first run: the provider then has no previous output to hand over.
    const previous = change === "replaced" ? undefined : before;
    const streams = await execute(args, previous, resource.name, secret, context);
    commands[resource.urn] = {
        ...now,
        ...(secret.length > 0 ? {} : streams),
        inputs: without(resource.inputs, resource.secretInputs),
        ...(resource.protect ? { protect: true } : {}),
    };
    record.save();
    report.done(change, `command ${resource.name}`, started);
    return answer(streams);
}

/** Runs a command at every `up`, as the function of the same provider does. */
export async function runCommand(inputs: Values, context: CommandContext): Promise<Values> {
    refuseUnknown("local.run", inputs, RUN_ARGS);
    const { command, ...args } = inputs as unknown as pulumi.Unwrap<command.local.RunArgs>;
    return {
        ...inputs,
        ...(await execute({ ...args, create: command }, undefined, "local.run", [], context)),
    };
}

function changeOf(before: { digest: string; triggers: string } | undefined, now: typeof before & {}): Change {
    if (before === undefined) return "created";
    if (before.triggers !== now.triggers) return "replaced";
    return before.digest === now.digest ? "same" : "updated";
}

async function execute(
    args: CommandArgs,
    previous: Partial<Streams> | undefined,
    name: string,
    secretOutputs: readonly string[],
    { root, report, signal }: CommandContext,
): Promise<Streams> {
    const script = (previous && args.update) || args.create;
    if (script === undefined) return { stdout: "", stderr: "" };
    const [shell = "/bin/sh", ...flags] = args.interpreter ?? ["/bin/sh", "-c"];
    const handedOver = args.addPreviousOutputInEnv !== false &&
        previous?.stdout !== undefined && {
            PULUMI_COMMAND_STDOUT: previous.stdout,
            PULUMI_COMMAND_STDERR: previous.stderr,
        };
    const child = spawn(shell, [...flags, script], {
        cwd: resolve(root, args.dir ?? "."),
        env: { ...process.env, ...args.environment, ...handedOver },
        detached: true, // A group of its own, so that an interrupt ends what the shell has started, too.
    });
    const stop = () => endGroup(child.pid);
    signal.addEventListener("abort", stop);
    child.stdin.on("error", () => undefined); // A command need not read its input.
    child.stdin.end(args.stdin ?? "");

    const text = { stdout: "", stderr: "", both: "" };
    for (const stream of ["stdout", "stderr"] as const) {
        const logged = logs(args.logging, stream) && !secretOutputs.includes(stream);
        const lines = logged ? report.lines(name) : undefined;
        child[stream].setEncoding("utf8").on("data", (chunk: string) => {
            text[stream] += chunk;
            text.both += chunk;
            lines?.write(chunk);
        });
        child[stream].on("end", () => lines?.end());
    }
    const outcome = await new Promise<number | string>((resolve, reject) => {
        child.on("error", reject).on("close", (code, killed) => resolve(code ?? killed ?? "?"));
    }).catch((error: Error) => error.message);
    signal.removeEventListener("abort", stop);
    if (signal.aborted && outcome !== 0) throw new Refusal("the command was interrupted");
    if (outcome !== 0) {
        const said = report.secrets.redact(text.both.trimEnd());
        const how =
            typeof outcome === "number"
                ? `the command failed with exit code ${outcome}`
                : `the command failed: ${outcome}`;
        throw new Refusal(said === "" ? how : `${how}\n${said}`);
    }
    return { stdout: text.stdout.replace(/\n$/, ""), stderr: text.stderr.replace(/\n$/, "") };
}

function endGroup(pid: number | undefined): void {
    try {
        if (pid !== undefined) process.kill(-pid, "SIGTERM");
    } catch {
        // It has just ended by itself.
    }
}

function logs(logging: string | undefined, stream: string): boolean {
    return logging === undefined || logging === "stdoutAndStderr" || logging === stream;
}
