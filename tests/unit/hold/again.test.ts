import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { FakeNjs, type Held } from "../../support/fake-njs.ts";
import { some } from "../../support/some.ts";

/** Which requests are sent once more, and which are answered. */

const njs = await FakeNjs.start();
after(() => njs.remove());

function assertUnknown({ redirected, returned }: Held, what: string): void {
    assert.deepEqual(redirected, [], what);
    const [status, body = ""] = returned[0] ?? [];
    assert.equal(status, 502, what);
    assert.match(body, /"M_UNKNOWN".*not known/, what);
}

const REACHED = { upstream_bytes_sent: "512" };
const SAFE = [
    "GET",
    "HEAD",
    "OPTIONS",
    "PUT /_matrix/client/v3/rooms/!a%3Ab/send/m.room.message/17",
    "PUT /_matrix/client/r0/rooms/!a%3Ab/send/m.room.message/17",
    "PUT /_matrix/client/api/v1/rooms/!a%3Ab/send/m.room.message/17",
    "PUT /_matrix/client/v3/rooms/!a%3Ab/redact/$event/17",
    "PUT /_matrix/federation/v1/send/17",
    "POST /_matrix/client/unstable/org.matrix.simplified_msc3575/sync",
    "POST /_matrix/client/v4/sync",
];
const UNSAFE = [
    "POST /_matrix/client/v3/createRoom",
    "POST /_matrix/client/v4/sync/more",
    "PUT /_matrix/client/v3/rooms/!a%3Ab/state/m.room.name/",
    "PUT /_matrix/client/v3/rooms/!a%3Ab/state/send/17",
    "PUT /_matrix/client/v3/sendToDevice/m.room.encrypted/17",
    "PUT /_matrix/client/v3/user/@a:b/account_data/rooms",
    "PUT /_matrix/federation/v2/send_join/!a/$e",
    "DELETE /_matrix/client/v3/devices/A",
];

test("a request that never reached Synapse goes on when Synapse is back, whatever its method", async () => {
    for (const request of some([...SAFE, ...UNSAFE])) {
        const { redirected, waited } = await njs.holdOverRestart(request);
        assert.deepEqual(redirected, ["@again"], request);
        assert.ok(waited >= 150, `${waited} ms`);
    }
});

test("a request that broke with Synapse is sent again when Synapse is back, if twice is the same as once", async () => {
    for (const request of some(SAFE)) {
        const { redirected, waited } = await njs.holdOverRestart(request, REACHED);
        assert.deepEqual(redirected, ["@again"], request);
        assert.ok(waited >= 150, `${waited} ms`);
    }
});

test("every other request that broke with Synapse is answered at once, as one of which nothing is known", async () => {
    for (const request of some(UNSAFE)) {
        njs.begin("refuses");
        const held = await njs.hold(request, REACHED);
        assertUnknown(held, request);
        assert.ok(held.waited < 500, `${held.waited} ms`);
    }
});

test("a request that Synapse dropped, though it is there, is not sent again", async () => {
    for (const request of some(SAFE)) {
        njs.begin("answers");
        assertUnknown(await njs.hold(request, REACHED), request);
    }
});

test("a request that broke off while a restart is announced is sent again, although Synapse still answers", async () => {
    njs.begin("answers");
    writeFileSync(njs.announcement, "");
    const held = njs.hold("GET", REACHED);
    await sleep(300);
    rmSync(njs.announcement);
    const { redirected, waited } = await held;
    assert.deepEqual(redirected, ["@again"]);
    assert.ok(waited >= 300, `${waited} ms`);
});

test("no request is sent a third time", async () => {
    for (const request of some(SAFE)) {
        njs.begin("refuses");
        const times = { upstream_bytes_sent: "512, 0 : 512", hold_tries: "1" };
        assertUnknown(await njs.hold(request, times), request);
    }
});

test("of several attempts, one that reached Synapse is enough", async () => {
    njs.begin("answers");
    assertUnknown(await njs.hold("POST", { upstream_bytes_sent: "0 : 512" }), "POST");
});

test("a Synapse that does not answer its probe is not taken for one that is gone", async () => {
    njs.begin("is silent");
    const held = njs.hold("GET", { ...REACHED, hold_seconds: "3" });
    await sleep(1500);
    njs.health = "answers";
    assertUnknown(await held, "GET");
});

test("a Synapse that was gone while a request asked for it is not taken for one that was always there", async () => {
    njs.begin("is silent");
    const broken = njs.hold("GET", { upstream_bytes_sent: "512", hold_seconds: "5" });
    await sleep(300);
    njs.health = "refuses";
    const other = njs.hold("GET", { hold_seconds: "5" });
    await sleep(300);
    njs.health = "answers";
    const { redirected, returned } = await broken;
    assert.deepEqual([redirected, returned], [["@again"], []]);
    await other;
});

test("an answer from before the second failure is no reason to send the request again", async () => {
    njs.begin("refuses");
    // Seen by a probe a moment ago, and gone since.
    njs.shared.set("found", 1);
    njs.shared.set("asked at", Date.now() - 1);
    const { redirected, returned, waited } = await njs.hold("GET", {
        hold_tries: "1",
        hold_deadline: String(Date.now() + 600),
    });
    assert.deepEqual(redirected, []);
    assert.equal(returned[0]?.[0], 503);
    assert.ok(waited >= 500, `${waited} ms`);
});
