import { type Check, checks } from "./checks.ts";
import type { Expectations } from "./expectations.ts";
import type { Place } from "./targets.ts";
import { targets } from "./targets.ts";
import { inTime } from "./time.ts";
import { trustIn } from "./trust.ts";

/** What came of asking a running server. */
export interface Verdict {
    /** A line for each thing that holds. */
    readonly holds: readonly string[];
    /** What could not be asked from here, and why. */
    readonly notes: readonly string[];
    /** What does not hold: at each address the first of it. */
    readonly failures: readonly string[];
}

/**
 * Asks a server whether it works, at every address and port that it is published on, all at once. What does not hold
 * is asked again until it does, or until the patience is at its end.
 */
export async function verify(expected: Expectations, place: Place, patienceMs = 30_000): Promise<Verdict> {
    const deadline = Date.now() + patienceMs;
    const trust = trustIn(expected.authorities, expected.trusted);
    const { asked, notes } = targets(expected.listeners, place);
    const outcomes = await Promise.all(
        asked.map((target) => inTurn(checks(expected, target, trust), deadline)),
    );
    return {
        holds: outcomes.flatMap(({ holds }) => holds),
        notes,
        failures: outcomes.flatMap(({ failure }) => failure ?? []),
    };
}

async function inTurn(
    turns: readonly Check[],
    deadline: number,
): Promise<{ holds: string[]; failure?: string }> {
    const holds: string[] = [];
    for (const { what, holds: ask } of turns) {
        try {
            holds.push(`${what}: ${await repeated(ask, deadline)}`);
        } catch (error) {
            const reason = error instanceof Error ? error.message : String(error);
            return { holds, failure: `${what} does not work.\n  ${reason}` };
        }
    }
    return { holds };
}

/** What a question gets in any case, however late it is asked. */
const LEAST_MS = 1_000;

async function repeated(ask: () => Promise<string>, deadline: number): Promise<string> {
    for (;;) {
        try {
            return await inTime(ask(), Math.max(deadline - Date.now(), LEAST_MS));
        } catch (error) {
            if (Date.now() >= deadline) throw error;
            await new Promise((resolve) => setTimeout(resolve, 500));
        }
    }
}
