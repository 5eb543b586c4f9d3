import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";

const SCHEDULE = readFileSync(new URL("../../../components/backup/schedule.sh", import.meta.url), "utf8");
const at = (iso: string) => Date.parse(iso) / 1000;

/** What a line of shell prints after schedule.sh. */
async function said(line: string, every: number, time: string): Promise<string> {
    const env = { PATH: process.env.PATH, EVERY: String(every), AT: time };
    const { stdout } = await promisify(execFile)("sh", ["-euc", `${SCHEDULE}\n${line}`], { env });
    return stdout.trim();
}

const lastTime = async (now: string, every: number, time: string) =>
    new Date(Number(await said(`last_time ${at(now)}`, every, time)) * 1000).toISOString().slice(0, 16);

const isDue = async (now: string, last: string | undefined, every = 24, time = "03:00") =>
    (await said(
        `if is_due ${at(now)} ${last === undefined ? 0 : at(last)}; then echo yes; else echo no; fi`,
        every,
        time,
    )) === "yes";

test("the time of day counts in UTC, from midnight on, and in steps of the interval", async () => {
    assert.equal(await lastTime("2026-03-05T03:00:00Z", 24, "03:00"), "2026-03-05T03:00");
    assert.equal(await lastTime("2026-03-05T02:59:59Z", 24, "03:00"), "2026-03-04T03:00");
    // In octal this would be an error.
    assert.equal(await lastTime("2026-03-05T12:00:00Z", 24, "08:09"), "2026-03-05T08:09");
    assert.equal(await lastTime("2026-03-05T12:00:00Z", 24, "00:00"), "2026-03-05T00:00");
    assert.equal(await lastTime("2026-03-05T14:30:00Z", 6, "03:00"), "2026-03-05T09:00");
    assert.equal(await lastTime("2026-03-05T14:30:00Z", 1, "23:45"), "2026-03-05T13:45");
});

test("an interval of a week has one time in each week", async () => {
    const times = await Promise.all(
        ["04", "05", "08", "11"].map((day) => lastTime(`2026-03-${day}T12:00:00Z`, 168, "03:00")),
    );
    assert.deepEqual(times, ["2026-02-26T03:00", "2026-03-05T03:00", "2026-03-05T03:00", "2026-03-05T03:00"]);
});

test("a backup is due when there is none, when one was missed, and when its time has come", async () => {
    assert.equal(await isDue("2026-03-05T12:00:00Z", undefined), true);
    assert.equal(await isDue("2026-03-05T03:00:00Z", "2026-03-04T03:00:10Z"), true);
    assert.equal(await isDue("2026-03-05T12:00:00Z", "2026-03-04T11:00:00Z"), true);
});

test("it is not due before its time, nor again after it, and one made by hand does not put it off", async () => {
    assert.equal(await isDue("2026-03-05T02:59:59Z", "2026-03-04T03:00:10Z"), false);
    assert.equal(await isDue("2026-03-05T03:00:30Z", "2026-03-05T03:00:05Z"), false);
    assert.equal(await isDue("2026-03-05T23:00:00Z", "2026-03-05T03:00:05Z"), false);
    assert.equal(await isDue("2026-03-05T03:00:00Z", "2026-03-04T20:00:00Z"), true);
});

test("after failures the next attempt is soon at first, and then each hour", async () => {
    const pauses = await Promise.all(
        [1, 2, 3, 4, 50].map((count) => said(`pause_after ${count}`, 24, "03:00")),
    );
    assert.deepEqual(pauses.map(Number), [60, 300, 900, 3600, 3600]);
});
