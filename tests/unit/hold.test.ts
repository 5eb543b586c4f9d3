import assert from "node:assert/strict";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { some } from "../support/some.ts";

/** components/nginx/hold.js under a stand-in for njs: what it does with each request, without waiting for real. */

interface Held {
    readonly redirected: string[];
    readonly returned: [number, string][];
    /** Milliseconds until then. */
    readonly waited: number;
}

type Health = "answers" | "refuses" | "is silent";

const directory = mkdtempSync(join(tmpdir(), "hold-"));
after(() => rmSync(directory, { recursive: true }));
const announcement = join(directory, "restarting");

const shared = new Map<string, number>();
const expiring = new Map<string, number>();
let health: Health = "answers";
let probes = 0;

function fetch(): Promise<{ status: number }> {
    probes += 1;
    if (health === "answers") return Promise.resolve({ status: 200 });
    if (health === "refuses") return Promise.reject(new Error("connect failed"));
    return sleep(1000).then(() => Promise.reject(new Error("read timed out")));
}

Object.assign(globalThis, {
    ngx: {
        fetch,
        shared: {
            hold: {
                add: (key: string, _value: number, milliseconds: number) => {
                    if ((expiring.get(key) ?? 0) > Date.now()) return false;
                    expiring.set(key, Date.now() + milliseconds);
                    return true;
                },
                set: (key: string, value: number) => shared.set(key, value),
                get: (key: string) => shared.get(key),
                incr: (key: string, by: number, initial: number) => {
                    const value = (shared.get(key) ?? initial) + by;
                    shared.set(key, value);
                    return value;
                },
            },
        },
    },
});
const script = new URL("../../components/nginx/hold.js", import.meta.url).href;
const { default: module } = (await import(script)) as {
    default: { hold: (request: unknown) => Promise<void> };
};

async function hold(request: string, variables: Record<string, string> = {}): Promise<Held> {
    const [method, path = "/_matrix/client/versions"] = request.split(" ");
    const held: Held = { redirected: [], returned: [], waited: 0 };
    const started = Date.now();
    await module.hold({
        method,
        variables: {
            hold_seconds: "1",
            hold_probe: "http://synapse:8008/health",
            hold_announcement: announcement,
            request_path: path,
            upstream_bytes_sent: "0",
            ...variables,
        },
        headersOut: {},
        internalRedirect: (location: string) => held.redirected.push(location),
        return: (status: number, body: string) => held.returned.push([status, body]),
    });
    return { ...held, waited: Date.now() - started };
}

function begin(now: Health): void {
    shared.clear();
    expiring.clear();
    probes = 0;
    health = now;
    rmSync(announcement, { force: true });
}

/** Synapse is found away, and is back a moment later. */
async function holdOverRestart(request: string, variables: Record<string, string> = {}): Promise<Held> {
    begin("refuses");
    const held = hold(request, variables);
    await sleep(150);
    health = "answers";
    return held;
}

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
        const { redirected, waited } = await holdOverRestart(request);
        assert.deepEqual(redirected, ["@again"], request);
        assert.ok(waited >= 150, `${waited} ms`);
    }
});

test("a request that broke with Synapse is sent again when Synapse is back, if twice is the same as once", async () => {
    for (const request of some(SAFE)) {
        const { redirected, waited } = await holdOverRestart(request, REACHED);
        assert.deepEqual(redirected, ["@again"], request);
        assert.ok(waited >= 150, `${waited} ms`);
    }
});

test("every other request that broke with Synapse is answered at once, as one of which nothing is known", async () => {
    for (const request of some(UNSAFE)) {
        begin("refuses");
        const held = await hold(request, REACHED);
        assertUnknown(held, request);
        assert.ok(held.waited < 500, `${held.waited} ms`);
    }
});

test("a request that Synapse dropped, though it is there, is not sent again", async () => {
    for (const request of some(SAFE)) {
        begin("answers");
        assertUnknown(await hold(request, REACHED), request);
    }
});

test("a request that broke off while a restart is announced is sent again, although Synapse still answers", async () => {
    begin("answers");
    writeFileSync(announcement, "");
    const held = hold("GET", REACHED);
    await sleep(300);
    rmSync(announcement);
    const { redirected, waited } = await held;
    assert.deepEqual(redirected, ["@again"]);
    assert.ok(waited >= 300, `${waited} ms`);
});

test("no request is sent a third time", async () => {
    for (const request of some(SAFE)) {
        begin("refuses");
        const times = { upstream_bytes_sent: "512, 0 : 512", hold_tries: "1" };
        assertUnknown(await hold(request, times), request);
    }
});

test("of several attempts, one that reached Synapse is enough", async () => {
    begin("answers");
    assertUnknown(await hold("POST", { upstream_bytes_sent: "0 : 512" }), "POST");
});

test("a Synapse that does not answer its probe is not taken for one that is gone", async () => {
    begin("is silent");
    const held = hold("GET", { ...REACHED, hold_seconds: "3" });
    await sleep(1500);
    health = "answers";
    assertUnknown(await held, "GET");
});

test("nothing is let through while a restart is announced, though Synapse still answers", async () => {
    begin("answers");
    writeFileSync(announcement, "");
    const { redirected, returned } = await hold("POST", { upstream_bytes_sent: "" });
    assert.deepEqual(redirected, []);
    assert.equal(returned[0]?.[0], 503);
    rmSync(announcement);
    assert.deepEqual((await hold("POST", { upstream_bytes_sent: "" })).redirected, ["@again"]);
});

test("an announcement that was left behind holds nothing once Synapse answers", async () => {
    begin("answers");
    writeFileSync(announcement, "");
    const minuteAgo = new Date(Date.now() - 60_000);
    utimesSync(announcement, minuteAgo, minuteAgo);
    const { redirected } = await hold("POST", { upstream_bytes_sent: "" });
    assert.deepEqual(redirected, ["@again"]);
});

test("a Synapse that was gone while a request asked for it is not taken for one that was always there", async () => {
    begin("is silent");
    const broken = hold("GET", { upstream_bytes_sent: "512", hold_seconds: "5" });
    await sleep(300);
    health = "refuses";
    const other = hold("GET", { hold_seconds: "5" });
    await sleep(300);
    health = "answers";
    const { redirected, returned } = await broken;
    assert.deepEqual([redirected, returned], [["@again"], []]);
    await other;
});

test("when Synapse stays away, the request is answered 503 after its time and no sooner", async () => {
    begin("refuses");
    const { returned, waited } = await hold("GET");
    assert.equal(returned[0]?.[0], 503);
    assert.ok(waited >= 1000 && waited < 3000, `${waited} ms`);
});

test("the time is that of the whole request, not of each attempt", async () => {
    begin("refuses");
    const { waited } = await hold("GET", { hold_deadline: String(Date.now() + 200), hold_tries: "1" });
    assert.ok(waited < 900, `${waited} ms`);
});

test("a request that does not reach Synapse is not tried for ever", async () => {
    begin("answers");
    const { redirected, returned } = await hold("GET", { hold_tries: "4" });
    assert.deepEqual(redirected, []);
    assert.equal(returned[0]?.[0], 503);
});

test("however many requests wait, Synapse is asked about ten times a second", async () => {
    begin("refuses");
    await Promise.all(Array.from({ length: 200 }, () => hold("GET")));
    assert.ok(probes >= 2 && probes <= 12, `${probes} probes`);
});

test("an answer from before the second failure is no reason to send the request again", async () => {
    begin("refuses");
    // Seen by a probe a moment ago, and gone since.
    shared.set("found", 1);
    shared.set("asked at", Date.now() - 1);
    const { redirected, returned, waited } = await hold("GET", {
        hold_tries: "1",
        hold_deadline: String(Date.now() + 600),
    });
    assert.deepEqual(redirected, []);
    assert.equal(returned[0]?.[0], 503);
    assert.ok(waited >= 500, `${waited} ms`);
});

test("many requests are let through one after another, and a lone one at once", async () => {
    begin("refuses");
    const many = Promise.all(Array.from({ length: 200 }, () => hold("GET", { hold_seconds: "9" })));
    await sleep(600);
    health = "answers";
    const waits = (await many).map(({ redirected, waited }) => {
        assert.deepEqual(redirected, ["@again"]);
        return waited - 600;
    });
    // Spread over 200 × 5 ms: as many in the second half as in the first, or nearly.
    const late = waits.filter((waited) => waited > 500).length;
    assert.ok(late > 50 && late < 180, `${late} of 200 after half a second`);
    assert.ok(Math.max(...waits) < 2500, `${Math.max(...waits)} ms`);
    const { waited } = await holdOverRestart("GET");
    const usual = waits.sort((left, right) => left - right)[100] ?? 0;
    assert.ok(waited - 150 < usual, `${waited - 150} ms, and half of many waited ${usual} ms`);
});
