import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { exitOf, run } from "./docker.ts";
import { CommandError, carryOut, UsageError } from "./failure.ts";
import { STACK_OPTION } from "./server.ts";

const USAGE = `Brings up a stack whose data volume is empty, or was lost, with what a backup holds.

  npm run restore -- [--stack NAME] [--snapshot latest|RUN]     RUN as \`npm run backup -- --list\` names it

A server that has data is not touched. Where the Pulumi CLI knows the stack this is
\`pulumi config set restore latest\` and \`pulumi up\`; otherwise it is \`npm start\` with that setting.
`;

const PROJECT = join(import.meta.dirname, "..");

await carryOut({ usage: USAGE, run: restore });

async function restore(args: readonly string[]): Promise<number> {
    const options = { ...STACK_OPTION, snapshot: { type: "string", default: "latest" } } as const;
    const { values } = parseArgs({ args: [...args], options });
    const { snapshot, stack } = values;
    if (!/^[\w.-]+(\/[\w.-]+){0,2}$/.test(stack)) throw new UsageError(`${stack} is no name for a stack`);
    if (!/^(latest|\d{8}T\d{6}Z-[0-9a-f]{6})$/.test(snapshot))
        throw new UsageError(
            `${snapshot} is no backup: want latest, or a name as \`npm run backup -- --list\` prints it`,
        );
    return (await isPulumis(stack)) ? byPulumi(stack, snapshot) : byItself(stack, snapshot);
}

async function isPulumis(stack: string): Promise<boolean> {
    const asked = await run("pulumi", ["stack", "--stack", stack, "--non-interactive", "--show-name"], {
        cwd: PROJECT,
        patience: 60_000,
        environment: { PULUMI_SKIP_UPDATE_CHECK: "true" },
    }).catch(() => undefined);
    return asked?.code === 0;
}

async function byPulumi(stack: string, snapshot: string): Promise<number> {
    const set = await shown("pulumi", ["config", "set", "restore", snapshot, "--stack", stack]);
    // What its state knows of may be gone.
    return set === 0 ? shown("pulumi", ["up", "--refresh", "--stack", stack]) : set;
}

function byItself(stack: string, snapshot: string): Promise<number> {
    const file = `Pulumi.${stack}.yaml`;
    const path = join(PROJECT, file);
    if (!existsSync(path))
        throw new CommandError(
            `There is no ${file} here: the settings of the server that was lost, backup among them. Write it, or get it out of Git.`,
        );
    if (/^\s*secure:/m.test(readFileSync(path, "utf8")))
        throw new CommandError(
            `${file} is encrypted, so Pulumi must read it, and the Pulumi CLI here knows no stack ${stack}. On a new machine:\n` +
                `  pulumi login <where the state is to be>; pulumi stack init ${stack} --secrets-provider passphrase\n` +
                "  with the PULUMI_CONFIG_PASSPHRASE of before; then run this again. See docs/backup.md.",
        );
    const config = JSON.stringify({ restore: snapshot });
    return shown(process.execPath, ["commands/stack.ts", "up", "--stack", stack, "--config", config]);
}

function shown(program: string, args: readonly string[]): Promise<number> {
    return exitOf(spawn(program, args, { cwd: PROJECT, stdio: "inherit" }));
}
