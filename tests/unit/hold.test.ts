import assert from "node:assert/strict";
import { test } from "node:test";

/** components/nginx/hold.js under a stand-in for njs: what it does with each request, without waiting for real. */

interface Held {
    readonly redirected: string[];
    readonly returned: [number, string][];
}

const shared = new Map<string, number>();
let answers: (() => Promise<{ status: number }>) | undefined;
let probes = 0;
const expiring = new Map<string, number>();

Object.assign(globalThis, {
    ngx: {
        fetch: () => {
            probes += 1;
            return answers === undefined ? Promise.reject(new Error("no connection")) : answers();
        },
        shared: {
            hold: {
                add: (key: string, _value: number, milliseconds: number) => {
                    if ((expiring.get(key) ?? 0) > Date.now()) return false;
                    expiring.set(key, Date.now() + milliseconds);
                    return true;
                },
                set: (key: string, value: number) => shared.set(key, value),
                get: (key: string) => shared.get(key),
            },
        },
    },
});
const script = new URL("../../components/nginx/hold.js", import.meta.url).href;
const { default: module } = (await import(script)) as {
    default: { hold: (request: unknown) => Promise<void> };
};

async function hold(
    method: string,
    variables: Record<string, string> = {},
): Promise<Held & { variables: Record<string, string> }> {
    const held: Held = { redirected: [], returned: [] };
    const all = {
        hold_seconds: "1",
        hold_probe: "http://synapse:8008/health",
        upstream_connect_time: "-",
        ...variables,
    };
    await module.hold({
        method,
        variables: all,
        headersOut: {},
        internalRedirect: (location: string) => held.redirected.push(location),
        return: (status: number, body: string) => held.returned.push([status, body]),
    });
    return { ...held, variables: all };
}

function begin(back: boolean): void {
    shared.clear();
    expiring.clear();
    probes = 0;
    answers = back ? () => Promise.resolve({ status: 200 }) : undefined;
}

test("a request that never reached Synapse goes on when Synapse is back, whatever its method", async () => {
    begin(true);
    for (const method of ["GET", "PUT", "POST"]) {
        assert.deepEqual((await hold(method)).redirected, ["@again"]);
    }
});

test("a request that may have reached Synapse is sent again only if twice is the same as once", async () => {
    begin(true);
    const reached = { upstream_connect_time: "0.001" };
    for (const method of ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]) {
        assert.deepEqual((await hold(method, reached)).redirected, ["@again"], method);
    }
    const { redirected, returned } = await hold("POST", reached);
    assert.deepEqual(redirected, []);
    assert.equal(returned[0]?.[0], 502);
    assert.equal((JSON.parse(returned[0]?.[1] ?? "") as { errcode: string }).errcode, "M_UNKNOWN");
});

test("of several attempts, one that may have reached Synapse is enough", async () => {
    begin(true);
    const { returned } = await hold("POST", { upstream_connect_time: "-, 0.001" });
    assert.equal(returned[0]?.[0], 502);
});

test("when Synapse stays away, the request is answered 503 after its time and no sooner", async () => {
    begin(false);
    const started = Date.now();
    const { returned } = await hold("GET");
    assert.equal(returned[0]?.[0], 503);
    const waited = Date.now() - started;
    assert.ok(waited >= 1000 && waited < 3000, `${waited} ms`);
});

test("the time is that of the whole request, not of each attempt", async () => {
    begin(false);
    const started = Date.now();
    await hold("GET", { hold_deadline: String(Date.now() + 200), hold_tries: "1" });
    assert.ok(Date.now() - started < 900);
});

test("a request is not sent again for ever", async () => {
    begin(true);
    const { redirected, returned } = await hold("GET", { hold_tries: "4" });
    assert.deepEqual(redirected, []);
    assert.equal(returned[0]?.[0], 503);
});

test("however many requests wait, Synapse is asked about ten times a second", async () => {
    begin(false);
    await Promise.all(Array.from({ length: 200 }, () => hold("GET")));
    assert.ok(probes >= 2 && probes <= 12, `${probes} probes`);
});

test("an answer from before the second failure is no reason to send the request again", async () => {
    begin(false);
    // Seen by a probe a moment ago, and gone since.
    shared.set("answered", Date.now() - 1);
    const started = Date.now();
    const { redirected, returned } = await hold("GET", {
        hold_tries: "1",
        hold_deadline: String(Date.now() + 600),
    });
    assert.deepEqual(redirected, []);
    assert.equal(returned[0]?.[0], 503);
    assert.ok(Date.now() - started >= 500);
});
