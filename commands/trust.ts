import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CommandError, carryOut, UsageError } from "./failure.ts";
import { findServer, STACK_OPTION } from "./server.ts";
import { carryOutPlan, type Outcome } from "./trust/carry-out.ts";
import { thisMachine } from "./trust/machine.ts";
import { type Ca, planTrust, planUntrust } from "./trust/plan.ts";

const USAGE = `Has this machine trust the private CA of a stack, in the system's store and those of browsers; or undoes it.

  npm run trust   -- [--yes] [--stack NAME]
  npm run untrust -- [--yes] [--stack NAME]

  Each step is shown and asked for. --yes answers all.
`;

const OPTIONS = { ...STACK_OPTION, yes: { type: "boolean", default: false } } as const;
const STATE = join(import.meta.dirname, "../.state");

await carryOut({ usage: USAGE, run: trust });

async function trust(args: readonly string[]): Promise<number> {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    const [action, ...rest] = positionals;
    if ((action !== "trust" && action !== "untrust") || rest.length > 0) {
        throw new UsageError(`say trust or untrust\n\n${USAGE}`);
    }
    return action === "trust"
        ? await trustCa(values.stack, values.yes)
        : await untrustCa(values.stack, values.yes);
}

async function trustCa(stack: string, yes: boolean): Promise<number> {
    const { caCertificate, clientUrl } = await findServer(stack);
    if (caCertificate === undefined) {
        throw new CommandError(
            `The stack ${stack} has no private CA, so there is nothing to trust: only tls.mode local-ca has one.`,
        );
    }
    const { subject, fingerprint256 } = new X509Certificate(caCertificate);
    say(
        `The CA of ${clientUrl}, which can certify that stack's names alone:\n  ${subject.replaceAll("\n", ", ")}`,
    );
    say(`  SHA-256 ${fingerprint256}`);
    // Kept, so that it can be taken back when the stack is gone.
    const file = fileOf(stack);
    const isNew = !existsSync(file);
    mkdirSync(STATE, { recursive: true, mode: 0o700 });
    writeFileSync(file, caCertificate);
    let outcome: Outcome | undefined;
    try {
        outcome = await carryOutPlan(planTrust(thisMachine(), caOf(stack)), yes);
    } finally {
        if (isNew && (outcome === undefined || outcome.done + outcome.failed === 0)) rmSync(file);
    }
    if (outcome.done > 0) say("\nTrusted. A browser that is open has to be started again.");
    return exitCodeOf(outcome);
}

async function untrustCa(stack: string, yes: boolean): Promise<number> {
    if (!existsSync(fileOf(stack))) {
        throw new CommandError(
            `Nothing was trusted here for the stack ${stack}: there is no ${fileOf(stack)}.`,
        );
    }
    const { remaining } = await carryOutPlan(planUntrust(thisMachine(), caOf(stack)), yes);
    // Who goes on after a success would take the CA for gone.
    if (remaining.length > 0) {
        const where = remaining.map((store) => `\n  ${store}`).join("");
        throw new CommandError(`\nIt is still trusted in:${where}\nRun this again for what is left.`);
    }
    rmSync(fileOf(stack));
    say("\nIt is not trusted any more. A browser that is open has to be started again.");
    return 0;
}

function caOf(stack: string): Ca {
    const file = fileOf(stack);
    const { fingerprint } = new X509Certificate(readFileSync(file));
    return { name: `synapse-${plain(stack)}`, file, sha1: fingerprint.replaceAll(":", "") };
}

function fileOf(stack: string): string {
    return join(STATE, `${plain(stack)}.ca.pem`);
}

/** A name that is a file's, too: Pulumi's may hold slashes. */
function plain(stack: string): string {
    return stack.replaceAll(/[^\w.-]/g, "-");
}

function exitCodeOf({ done, failed, declined }: Outcome): number {
    return failed > 0 || done + declined === 0 ? 1 : 0;
}

function say(text: string): void {
    process.stdout.write(`${text}\n`);
}
