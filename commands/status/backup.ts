import { docker } from "../docker.ts";
import type { Server } from "../server.ts";
import type { Inspected } from "./containers.ts";

/** The last good backup, as its container knows it. */
export interface BackupStatus {
    /** When it began, ISO 8601; null before the first one. */
    readonly time: string | null;
    /** Whole hours since then. */
    readonly hours: number | null;
    /** Hours from one to the next. */
    readonly every: number;
    readonly seconds: number | null;
    readonly bytes: number | null;
    /** What went wrong last, whose end no good one has been since. */
    readonly error: string | null;
}

/** What the backup's container says of its last run: null without backups, undefined when it says nothing. */
export async function lastBackup(
    { containerName, dockerHost }: Pick<Server, "containerName" | "dockerHost">,
    containers: readonly Pick<Inspected, "Name">[],
): Promise<BackupStatus | null | undefined> {
    const container = `${containerName}-backup`;
    if (!containers.some(({ Name }) => Name === `/${container}`)) return null;
    const script =
        'echo "$EVERY"; date +%s; tr -d "\\n" </state/last.json 2>/dev/null || true; echo; cat /state/error 2>/dev/null || true';
    const asked = await docker(dockerHost, ["exec", container, "sh", "-c", script], { patience: 10_000 });
    return asked.code === 0 ? parseBackup(asked.stdout) : undefined;
}

/** Lines: the interval, the time there, the last good run in JSON, and what went wrong. */
export function parseBackup(printed: string): BackupStatus | undefined {
    const [every = "", now = "", last = "", ...error] = printed.split("\n");
    if (!/^\d+$/.test(every) || !/^\d+$/.test(now)) return undefined;
    const said = error.join("\n").trim();
    const none = { time: null, hours: null, seconds: null, bytes: null };
    const run = last.trim() === "" ? undefined : (JSON.parse(last) as Record<string, unknown>);
    const time = typeof run?.time === "string" ? run.time : undefined;
    return {
        every: Number(every),
        error: said === "" ? null : said,
        ...(time === undefined
            ? none
            : {
                  time,
                  hours: Math.floor((Number(now) - Date.parse(time) / 1000) / 3600),
                  seconds: Number(run?.seconds),
                  bytes: Number(run?.bytes),
              }),
    };
}

/** What is wrong with the backups beyond doubt; that there never was one may be because the stack is new. */
export function backupFaults(backup: BackupStatus | null | undefined): string[] {
    if (backup === null) return [];
    if (backup === undefined) return ["the backup's container does not say how it is"];
    const { error, every, hours } = backup;
    const overdue =
        hours !== null && hours >= 2 * every
            ? [`the last good backup is ${hours} hours old, and there should be one every ${every}`]
            : [];
    return [...overdue, ...(error === null ? [] : [error])];
}

/** For people. */
export function backupInWords(backup: BackupStatus | null | undefined): string {
    if (backup === null) return "none: set synapse:backup, see docs/backup.md";
    if (backup === undefined) return "not known";
    const { bytes, hours, seconds, time } = backup;
    if (time === null) return "none yet";
    const size = `${((bytes ?? 0) / 2 ** 20).toFixed(1)} MiB in ${seconds} s`;
    return `${hours === 0 ? "less than an hour" : `${hours} h`} ago (${time.slice(0, 16).replace("T", " ")} UTC), ${size}`;
}
