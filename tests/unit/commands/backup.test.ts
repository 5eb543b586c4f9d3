import assert from "node:assert/strict";
import { test } from "node:test";
import { runsOf, tableOf } from "../../../commands/backup/runs.ts";
import { backupFaults, backupInWords, parseBackup } from "../../../commands/status/backup.ts";

const snapshot = (run: string, part: string, bytes: number) => ({
    time: "2026-03-01T03:00:00Z",
    hostname: "synapse",
    tags: [`run:${run}`, "server:example.org", `part:${part}`],
    summary: { total_bytes_processed: bytes },
});
const [FIRST, SECOND] = ["20260301T030000Z-1a2b3c", "20260302T030000Z-000000"];
const SNAPSHOTS = JSON.stringify([
    snapshot(SECOND, "database", 2 ** 20),
    snapshot(FIRST, "database", 2 ** 20),
    snapshot(FIRST, "files", 2 ** 20),
    { time: "2026-03-01T03:00:00Z", hostname: "somebody", tags: ["else"] },
]);

test("a backup is two snapshots of one run, and one half alone is told as none", () => {
    const runs = runsOf(SNAPSHOTS);
    assert.deepEqual(
        runs.map(({ run, whole, bytes }) => [run, whole, bytes]),
        [
            [FIRST, true, 2 ** 21],
            [SECOND, false, 2 ** 20],
        ],
    );
    assert.match(tableOf(runs), new RegExp(`^${FIRST} {2}synapse {2}2\\.0 MiB\\s*$`, "m"));
    assert.match(tableOf(runs), /one half only: no backup/);
    assert.equal(tableOf([]), "There is no backup yet.");
});

const NOW = Date.parse("2026-03-03T04:00:00Z") / 1000;
const LAST = '{"time": "2026-03-01T03:00:00Z", "seconds": 12, "bytes": 1048576}';

test("the last good backup's age is told, and one that is overdue is a fault", () => {
    const last = parseBackup(`24\n${NOW}\n${LAST}\n`);
    assert.equal(last?.hours, 49);
    assert.deepEqual(backupFaults(last), [
        "the last good backup is 49 hours old, and there should be one every 24",
    ]);
    assert.equal(backupInWords(last), "49 h ago (2026-03-01 03:00 UTC), 1.0 MiB in 12 s");
    assert.deepEqual(backupFaults(parseBackup(`24\n${NOW - 2 * 3600}\n${LAST}\n`)), []);
});

test("what went wrong since is told, and a new stack without a backup is no fault", () => {
    const failed = parseBackup(`24\n${NOW - 7200}\n${LAST}\nThe backup failed.\n  restic said\n`);
    assert.deepEqual(backupFaults(failed), ["The backup failed.\n  restic said"]);
    const none = parseBackup(`24\n${NOW}\n\n`);
    assert.deepEqual([backupFaults(none), backupInWords(none)], [[], "none yet"]);
    assert.deepEqual([backupFaults(null), backupFaults(undefined).length], [[], 1]);
    assert.equal(parseBackup(""), undefined);
});
