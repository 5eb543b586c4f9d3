import assert from "node:assert/strict";
import { rmSync, utimesSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { FakeNjs } from "../../support/fake-njs.ts";

/** How long requests wait, and how they go on when Synapse is back. */

const njs = await FakeNjs.start();
after(() => njs.remove());

test("nothing is let through while a restart is announced, though Synapse still answers", async () => {
    njs.begin("answers");
    writeFileSync(njs.announcement, "");
    const { redirected, returned } = await njs.hold("POST", { upstream_bytes_sent: "" });
    assert.deepEqual(redirected, []);
    assert.equal(returned[0]?.[0], 503);
    rmSync(njs.announcement);
    assert.deepEqual((await njs.hold("POST", { upstream_bytes_sent: "" })).redirected, ["@again"]);
});

test("an announcement that was left behind holds nothing once Synapse answers", async () => {
    njs.begin("answers");
    writeFileSync(njs.announcement, "");
    const minuteAgo = new Date(Date.now() - 60_000);
    utimesSync(njs.announcement, minuteAgo, minuteAgo);
    const { redirected } = await njs.hold("POST", { upstream_bytes_sent: "" });
    assert.deepEqual(redirected, ["@again"]);
});

test("when Synapse stays away, the request is answered 503 after its time and no sooner", async () => {
    njs.begin("refuses");
    const { returned, waited } = await njs.hold("GET");
    assert.equal(returned[0]?.[0], 503);
    assert.ok(waited >= 1000 && waited < 3000, `${waited} ms`);
});

test("the time is that of the whole request, not of each attempt", async () => {
    njs.begin("refuses");
    const { waited } = await njs.hold("GET", { hold_deadline: String(Date.now() + 200), hold_tries: "1" });
    assert.ok(waited < 900, `${waited} ms`);
});

test("a request that does not reach Synapse is not tried for ever", async () => {
    njs.begin("answers");
    const { redirected, returned } = await njs.hold("GET", { hold_tries: "4" });
    assert.deepEqual(redirected, []);
    assert.equal(returned[0]?.[0], 503);
});

test("however many requests wait, Synapse is asked about ten times a second", async () => {
    njs.begin("refuses");
    await Promise.all(Array.from({ length: 200 }, () => njs.hold("GET")));
    assert.ok(njs.probes >= 2 && njs.probes <= 12, `${njs.probes} probes`);
});

test("many requests are let through one after another, and a lone one at once", async () => {
    njs.begin("refuses");
    const many = Promise.all(Array.from({ length: 200 }, () => njs.hold("GET", { hold_seconds: "9" })));
    await sleep(600);
    njs.health = "answers";
    const waits = (await many).map(({ redirected, waited }) => {
        assert.deepEqual(redirected, ["@again"]);
        return waited - 600;
    });
    // Spread over 200 × 5 ms: as many in the second half as in the first, or nearly.
    const late = waits.filter((waited) => waited > 500).length;
    assert.ok(late > 50 && late < 180, `${late} of 200 after half a second`);
    assert.ok(Math.max(...waits) < 2500, `${Math.max(...waits)} ms`);
    const { waited } = await njs.holdOverRestart("GET");
    const usual = waits.sort((left, right) => left - right)[100] ?? 0;
    assert.ok(waited - 150 < usual, `${waited - 150} ms, and half of many waited ${usual} ms`);
});
