import { availableParallelism, loadavg } from "node:os";

/** One line of the report. */
export interface Row {
    readonly what: string;
    readonly unit: string;
    readonly digits: number;
    readonly ours: readonly number[];
    readonly baseline?: readonly number[];
    /** For the ratio to the baseline; for our own figure when there is none. */
    readonly goal?: { readonly atMost: number } | { readonly atLeast: number };
}

/** Prints the table, the single figures and the goals that were missed. */
export function show(rows: readonly Row[]): void {
    const lines = rows.map(({ what, unit, digits, ours, baseline, goal }) => {
        const figure = (values: readonly number[]) => `${median(values).toFixed(digits)} ${unit}`.trim();
        const ratio = baseline && median(ours) / median(baseline);
        return [
            what,
            figure(ours),
            baseline ? figure(baseline) : "",
            ratio === undefined ? "" : ratio.toFixed(2),
            goal === undefined ? "" : goalText(goal, ratio === undefined ? unit : ""),
            goal === undefined ? "" : verdict(goal, ratio ?? median(ours)),
        ];
    });
    const table = [["what", "ours", "baseline", "ratio", "goal", ""], ...lines];
    const widths = table[0]?.map((_, column) =>
        Math.max(...table.map((line) => (line[column] ?? "").length)),
    );
    say("");
    for (const line of table)
        say(
            line
                .map((cell, column) =>
                    column === 0 ? cell.padEnd(widths?.[column] ?? 0) : cell.padStart(widths?.[column] ?? 0),
                )
                .join("  ")
                .trimEnd(),
        );

    say("\nMedians of:");
    told(rows);
    say(
        `\n${availableParallelism()} processors; load at the end: ${loadavg()
            .map((n) => n.toFixed(1))
            .join(" ")}`,
    );
    const missed = lines.filter(([, , , , , outcome]) => outcome === "over" || outcome === "under");
    say(
        missed.length === 0 ? "Every goal is reached." : `MISSED: ${missed.map(([what]) => what).join("; ")}`,
    );
}

/** Says the single figures, at once: a bench that ends early has not been for nothing. */
export function told(rows: readonly Row[]): readonly Row[] {
    for (const { what, digits, ours, baseline } of rows) {
        const list = (values: readonly number[]) => values.map((value) => value.toFixed(digits)).join(" ");
        say(`  ${what}: ours ${list(ours)}${baseline ? `; baseline ${list(baseline)}` : ""}`);
    }
    return rows;
}

function goalText(goal: NonNullable<Row["goal"]>, unit: string): string {
    return (
        "atMost" in goal ? `≤ ${goal.atMost.toFixed(2)} ${unit}` : `≥ ${goal.atLeast.toFixed(2)} ${unit}`
    ).trim();
}

function verdict(goal: NonNullable<Row["goal"]>, value: number): string {
    if ("atMost" in goal) return value <= goal.atMost ? "ok" : "over";
    return value >= goal.atLeast ? "ok" : "under";
}

function median(values: readonly number[]): number {
    const sorted = [...values].sort((a, b) => a - b);
    const middle = sorted.length / 2;
    const at = (index: number) => sorted[index] ?? Number.NaN;
    return sorted.length % 2 === 1 ? at(Math.floor(middle)) : (at(middle - 1) + at(middle)) / 2;
}

export function say(line: string): void {
    console.log(line);
}
