import { certified } from "./certified.ts";
import { compared } from "./compared.ts";
import { data } from "./data.ts";
import { signal, watchForInterrupt } from "./interrupt.ts";
import { type Row, say, show } from "./report.ts";

/**
 * What the program costs, against doing the same without it on the same machine in the same minutes. A missed goal
 * is told, and is no failure: the figures depend on what else the machine does. Arguments choose parts of it.
 */

const PARTS: Readonly<Record<string, () => Promise<Row[]>>> = { compared, certified, data };

watchForInterrupt();
try {
    const chosen = process.argv.slice(2);
    const unknown = chosen.filter((part) => !(part in PARTS));
    if (unknown.length > 0)
        throw new Error(`no part ${unknown.join(", ")}: want ${Object.keys(PARTS).join(", ")}`);
    const rows: Row[] = [];
    for (const [part, measure] of Object.entries(PARTS))
        if (chosen.length === 0 || chosen.includes(part)) rows.push(...(await measure()));
    show(rows);
} catch (error) {
    say(error instanceof Error && !signal.aborted ? (error.stack ?? error.message) : "Not finished.");
    process.exitCode = signal.aborted ? 130 : 1;
}
