import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import type { Plan } from "../../../commands/trust/plan.ts";

const CARRY_OUT = new URL("../../../commands/trust/carry-out.ts", import.meta.url).href;
const SCRIPT = "/usr/bin/script";
const skip =
    process.platform === "linux" && existsSync(SCRIPT)
        ? false
        : "QUESTIONS AT A TERMINAL NOT TRIED: this machine has no util-linux script";

/** A step that says how it found the terminal, and what was typed for it; its prompt is not in what is shown of it. */
const READS = {
    store: "a store",
    calls: [{ argv: ["sh", "-c", 'stty -a; printf "Pass%s: " word; read -r word; echo "got <$word>"'] }],
} as const;
const FAILS = { store: "another store", calls: [{ argv: ["false"] }] } as const;

/** Carries a plan out at a terminal, where this is typed, each once its prompt is there. */
async function carriedOut(plan: Plan, typed: readonly string[]): Promise<string> {
    const program = `import { carryOutPlan } from ${JSON.stringify(CARRY_OUT)};
        console.log(JSON.stringify(await carryOutPlan(JSON.parse(process.env.PLAN), false)));`;
    const child = spawn(
        SCRIPT,
        ["--quiet", "--return", "--command", 'exec node -e "$PROGRAM"', "/dev/null"],
        {
            env: { ...process.env, SHELL: "/bin/sh", PROGRAM: program, PLAN: JSON.stringify(plan) },
        },
    );
    let printed = "";
    let answered = 0;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
        printed += text;
        const prompts = printed.match(/\[y\/N\] |Password: /g)?.length ?? 0;
        for (; answered < prompts; answered++) child.stdin.write(typed[answered] ?? "");
    });
    await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
    return printed;
}

test("what is typed for a call is the call's alone, and the next question is asked", { skip }, async () => {
    const printed = await carriedOut({ steps: [READS, READS], impossible: [] }, [
        "y\n",
        "correct horse\n",
        "yes\n",
        "battery staple\n",
    ]);
    assert.doesNotMatch(printed, /-icanon|-echo\b/);
    assert.match(printed, /got <correct horse>/);
    assert.match(printed, /got <battery staple>/);
    assert.match(printed, /"done":2,"failed":0,"declined":0,"remaining":\[\]/);
});

test("a no leaves one step out, and the end of the input those that follow", { skip }, async () => {
    const last = { ...FAILS, store: "the last store" };
    const plan = { steps: [FAILS, FAILS, FAILS, last], impossible: ["Java's store: it needs root"] };
    const printed = await carriedOut(plan, ["y\n", "n\n", "\u0004"]);
    assert.match(printed, /false failed \(1\): another store is as it was/);
    assert.match(printed, /Stopped: this step and those after it/);
    assert.match(printed, /"done":0,"failed":1,"declined":3/);
    assert.match(
        printed,
        /"remaining":\[("another store",){3}"the last store","Java's store: it needs root"\]/,
    );
});
