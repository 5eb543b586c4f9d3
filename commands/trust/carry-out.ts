import { spawn } from "node:child_process";
import { createInterface } from "node:readline/promises";
import { CommandError } from "../failure.ts";
import type { Call, Plan, Step } from "./plan.ts";

/** How the steps of a plan ended. */
export interface Outcome {
    readonly done: number;
    readonly failed: number;
    readonly declined: number;
    /** The stores of what was not done, and why what is impossible is that. */
    readonly remaining: readonly string[];
}

/** Shows each step, asks whether to do it, and does it. */
export async function carryOutPlan({ steps, impossible }: Plan, yes: boolean): Promise<Outcome> {
    for (const reason of impossible) say(`Cannot be done here: ${reason}`);
    if (!yes && !process.stdin.isTTY && steps.length > 0) {
        for (const step of steps) say(described(step));
        throw new CommandError("There is no terminal to ask at, so nothing was done. --yes does all of it.");
    }
    const counts = { done: 0, failed: 0, declined: 0 };
    const remaining = new Set(steps);
    for (const step of steps) {
        say(described(step));
        const answer = yes ? "yes" : await asked();
        if (answer === "stop") {
            say("\nStopped: this step and those after it were not done.");
            counts.declined = steps.length - counts.done - counts.failed;
            break;
        }
        if (answer === "no") counts.declined++;
        else if (await carriedOut(step)) {
            counts.done++;
            remaining.delete(step);
        } else counts.failed++;
    }
    return { ...counts, remaining: [...[...remaining].map(({ store }) => store), ...impossible] };
}

async function asked(): Promise<"yes" | "no" | "stop"> {
    // For this question alone: open, it would take the keys, and show them, that sudo's password is typed with.
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    // Ctrl-C and Ctrl-D close it, and a question that is open then is never answered.
    const closed = new Promise<undefined>((resolve) => terminal.once("close", () => resolve(undefined)));
    try {
        const answer = await Promise.race([terminal.question("Do it? [y/N] "), closed]);
        return answer === undefined ? "stop" : /^y(es)?$/i.test(answer.trim()) ? "yes" : "no";
    } finally {
        terminal.close();
    }
}

async function carriedOut({ calls, store }: Step): Promise<boolean> {
    for (const call of calls) {
        const code = await exitOf(call);
        if (code === 0 || call.mayFail) continue;
        process.stderr.write(`${call.argv[0]} failed (${code}): ${store} is as it was, or half done.\n`);
        return false;
    }
    return true;
}

function exitOf({ argv: [program, ...args], mayFail }: Call): Promise<number | string> {
    const quiet = mayFail === true;
    return new Promise((resolve) => {
        const child = spawn(program, args, {
            stdio: ["inherit", quiet ? "ignore" : "inherit", quiet ? "ignore" : "inherit"],
            env: { ...process.env, PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin` },
        });
        child.on("error", (error) => resolve(error.message));
        child.on("close", (code, signal) => resolve(code ?? signal ?? "?"));
    });
}

function described({ store, calls }: Step): string {
    const lines = calls.map(({ argv }) => `    ${argv.map(quoted).join(" ")}`);
    return `\nIn ${store}:\n${lines.join("\n")}`;
}

/** As a person would type it; nothing here goes through a shell. */
function quoted(word: string): string {
    return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function say(text: string): void {
    process.stdout.write(`${text}\n`);
}
