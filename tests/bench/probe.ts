import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "../support/http.ts";

/** A cheap endpoint that Synapse itself answers. */
export const PATH = "/_matrix/client/versions";

/** The status with which an HTTPS port of this machine answers, whatever its certificate. */
export async function get(port: number): Promise<number | undefined> {
    const { status } = await ask({
        port,
        path: PATH,
        ca: "",
        options: { rejectUnauthorized: false, timeout: 1000 },
    });
    return status;
}

/** Whose certificate counts as trusted. */
export interface Trust {
    readonly host: string;
    /** PEM. */
    readonly ca: string;
}

/**
 * Asks an HTTPS port of this machine again and again, each time on a new connection and without waiting for the
 * answers before: a connection that hangs hides none that works.
 */
export class Probe {
    /** When good answers arrived, in milliseconds of the monotonic clock. */
    readonly #answers: number[] = [];
    readonly #timer: NodeJS.Timeout;

    /** Without `trust` any certificate will do; `plain` asks without TLS. */
    constructor(port: number, everyMs: number, trust?: Trust | "plain") {
        this.#timer = setInterval(() => void this.#ask(port, trust), everyMs);
    }

    async #ask(port: number, trust: Trust | "plain" | undefined): Promise<void> {
        try {
            const { status } = await ask({
                port,
                path: PATH,
                ...(trust === "plain" ? {} : (trust ?? { ca: "" })),
                options: { rejectUnauthorized: trust !== undefined, timeout: 1000 },
            });
            if (status === 200) this.#answers.push(performance.now());
        } catch {
            // No answer is what is being measured.
        }
    }

    /** When the first good answer after `moment` arrived. */
    async answerAfter(moment: number, signal: AbortSignal): Promise<number> {
        const deadline = performance.now() + 120_000;
        for (;;) {
            const answer = this.#answers.find((time) => time > moment);
            if (answer !== undefined) return answer;
            if (performance.now() > deadline) throw new Error("no good answer within two minutes");
            await sleep(10, undefined, { signal });
        }
    }

    /** The longest time between two good answers, in milliseconds. */
    longestGap(): number {
        const gaps = this.#answers.map((time, index) => time - (this.#answers[index - 1] ?? time));
        return Math.max(0, ...gaps);
    }

    stop(): void {
        clearInterval(this.#timer);
    }
}

/** When something was reached, in milliseconds from the beginning. */
export interface Reached {
    /** The first good answer. */
    readonly answered: number;
    /** The first good answer with a trusted certificate; as `answered` when nobody said whom to trust. */
    readonly trusted: number;
    /** The end of the work. */
    readonly done: number;
}

/** Watches from outside what `work` brings about, from nothing. */
export async function firstAnswer(
    port: number,
    work: () => Promise<unknown>,
    signal: AbortSignal,
    trust?: Trust,
): Promise<Reached> {
    signal.throwIfAborted();
    const started = performance.now();
    const worked = work();
    const first = async (whom?: Trust) => {
        const probe = new Probe(port, 50, whom);
        try {
            const answered = await Promise.race([
                probe.answerAfter(started, signal),
                // A failure ends the wait for an answer that would never come.
                worked.then(() => probe.answerAfter(started, signal)),
            ]);
            return answered - started;
        } finally {
            probe.stop();
        }
    };
    try {
        const answered = await first();
        const trusted = trust === undefined ? answered : await first(trust);
        await worked;
        return { answered, trusted, done: performance.now() - started };
    } finally {
        // Whoever removes what it made must not do so while it goes on.
        await worked;
    }
}

/** The longest time without a good answer, in milliseconds, while `work` goes on and until the server is back. */
export async function outage(
    port: number,
    work: () => Promise<unknown>,
    signal: AbortSignal,
    trust?: "plain",
): Promise<number> {
    const probe = new Probe(port, 20, trust);
    try {
        await probe.answerAfter(performance.now(), signal);
        await work();
        await probe.answerAfter(performance.now() + 500, signal);
        return probe.longestGap();
    } finally {
        probe.stop();
    }
}
