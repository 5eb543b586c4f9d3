import { say } from "./report.ts";

const interrupt = new AbortController();

/** Aborts at Ctrl-C: whoever has made something then removes it. */
export const { signal } = interrupt;

/** Takes Ctrl-C and a polite stop as such an interrupt, instead of an end. */
export function watchForInterrupt(): void {
    for (const name of ["SIGINT", "SIGTERM"] as const) {
        process.on(name, () => {
            say("Interrupted: removing what was made.");
            interrupt.abort(new Error("interrupted"));
        });
    }
}
