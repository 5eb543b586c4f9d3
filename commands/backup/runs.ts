import { columns } from "../columns.ts";

/** One backup: two snapshots of restic's. */
export interface Run {
    readonly run: string;
    readonly time: string;
    /** The stack that made it. */
    readonly host: string;
    readonly bytes: number;
    /** Whether both halves are there; one alone is no backup. */
    readonly whole: boolean;
}

interface Snapshot {
    readonly time: string;
    readonly hostname: string;
    readonly tags?: readonly string[];
    readonly summary?: { readonly total_bytes_processed?: number };
}

/** From what `restic snapshots --json` printed; the oldest first. */
export function runsOf(printed: string): Run[] {
    const snapshots = JSON.parse(printed) as readonly Snapshot[];
    const byRun = new Map<string, Snapshot[]>();
    for (const snapshot of snapshots) {
        const run = tagged(snapshot, "run:");
        if (run !== undefined) byRun.set(run, [...(byRun.get(run) ?? []), snapshot]);
    }
    return [...byRun]
        .map(([run, parts]) => ({
            run,
            time: parts[0]?.time ?? "",
            host: parts[0]?.hostname ?? "",
            bytes: parts.reduce((sum, { summary }) => sum + (summary?.total_bytes_processed ?? 0), 0),
            whole: ["database", "files"].every((part) =>
                parts.some((snapshot) => tagged(snapshot, "part:") === part),
            ),
        }))
        .sort((left, right) => (left.run < right.run ? -1 : 1));
}

/** For people. */
export function tableOf(runs: readonly Run[]): string {
    if (runs.length === 0) return "There is no backup yet.";
    return columns(
        runs.map(({ run, host, bytes, whole }) => [
            run,
            host,
            `${(bytes / 2 ** 20).toFixed(1)} MiB`,
            whole ? "" : "one half only: no backup",
        ]),
    );
}

function tagged({ tags = [] }: Snapshot, prefix: string): string | undefined {
    return tags.find((tag) => tag.startsWith(prefix))?.slice(prefix.length);
}
