import { certified } from "./certified.ts";
import { compared } from "./compared.ts";
import { signal, watchForInterrupt } from "./interrupt.ts";
import { say, show } from "./report.ts";

/**
 * What the program costs, against doing the same without it on the same machine in the same minutes. A missed goal
 * is told, and is no failure: the figures depend on what else the machine does.
 */

watchForInterrupt();
try {
    show([...(await compared()), ...(await certified())]);
} catch (error) {
    say(error instanceof Error && !signal.aborted ? (error.stack ?? error.message) : "Not finished.");
    process.exitCode = signal.aborted ? 130 : 1;
}
