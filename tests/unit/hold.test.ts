import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

/** What of nginx's request object the script uses. */
interface Request {
    readonly method: string;
    readonly variables: Record<string, string | undefined>;
    readonly headersOut: Record<string, string>;
    internalRedirect(location: string): void;
    return(status: number, body: string): void;
}

const { href } = new URL("../../components/nginx/hold.js", import.meta.url);
const { default: script } = (await import(href)) as {
    default: { hold: (request: Request) => Promise<void> };
};

// --- What nginx would give the script -----------------------------------------------------------------------------

let probes: number;
let isUp: () => boolean;

/** `js_shared_dict_zone` of numbers. */
class SharedDictionary {
    readonly #entries = new Map<string, { value: number; until: number }>();
    get(key: string): number | undefined {
        const entry = this.#entries.get(key);
        return entry !== undefined && Date.now() < entry.until ? entry.value : undefined;
    }
    set(key: string, value: number, lifetime = 60_000): void {
        this.#entries.set(key, { value, until: Date.now() + lifetime });
    }
    add(key: string, value: number, lifetime: number): boolean {
        if (this.get(key) !== undefined) return false;
        this.set(key, value, lifetime);
        return true;
    }
}

const world = globalThis as { ngx?: unknown };
beforeEach(() => {
    probes = 0;
    isUp = () => true;
    world.ngx = {
        shared: { hold: new SharedDictionary() },
        fetch: (url: string) => {
            assert.equal(url, "http://synapse:8008/health");
            probes += 1;
            return isUp() ? Promise.resolve({ status: 200 }) : Promise.reject(new Error("refused"));
        },
    };
});
afterEach(() => {
    delete world.ngx;
});

/** What becomes of a request that nginx could not pass on, and the variables that stay with it. */
async function held(method: string, variables: Record<string, string> = {}) {
    let outcome: unknown;
    const request: Request = {
        method,
        variables: { hold_seconds: "0.4", hold_probe: "http://synapse:8008/health", ...variables },
        headersOut: {},
        internalRedirect: (location) => {
            outcome = location;
        },
        return: (status, body) => {
            outcome = { status, ...(JSON.parse(body) as { errcode: string; error: string }) };
        },
    };
    const from = Date.now();
    await script.hold(request);
    return { outcome, took: Date.now() - from, variables: request.variables, headers: request.headersOut };
}

/** As nginx tells of an attempt whose connection came about. */
const REACHED = { upstream_connect_time: "0.001" };

// --- What it does -------------------------------------------------------------------------------------------------

test("a request goes on as soon as Synapse is back", async () => {
    const back = Date.now() + 150;
    isUp = () => Date.now() >= back;
    const { outcome, took } = await held("POST", { upstream_connect_time: "-" });
    assert.equal(outcome, "@again");
    assert.ok(took >= 140, String(took));
});

test("a request that Synapse may have carried out is sent again only if twice is the same as once", async () => {
    for (const method of ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]) {
        assert.equal((await held(method, REACHED)).outcome, "@again", method);
    }
    for (const method of ["POST", "PATCH"]) {
        const { outcome } = await held(method, REACHED);
        assert.deepEqual(outcome, {
            status: 502,
            errcode: "M_UNKNOWN",
            error: "The server broke off while it worked on this request; whether it was carried out is not known",
        });
    }
});

test("one attempt that reached Synapse among several counts", async () => {
    const { outcome } = await held("POST", { upstream_connect_time: "-, 0.001" });
    assert.equal((outcome as { status: number }).status, 502);
});

test("when Synapse does not come back, Matrix clients are told to try again", async () => {
    isUp = () => false;
    const { outcome, took, headers } = await held("GET");
    assert.deepEqual(outcome, {
        status: 503,
        errcode: "M_UNKNOWN",
        error: "The server is being restarted; try again in a moment",
    });
    assert.ok(took >= 390 && took < 2000, String(took));
    assert.deepEqual(headers, {
        "Content-Type": "application/json",
        // Without it, browsers would keep the answer from the client.
        "Access-Control-Allow-Origin": "*",
        "Retry-After": "5",
    });
});

test("a request that is broken off again and again waits no longer in all", async () => {
    const first = await held("GET");
    const again = await held("GET", first.variables as Record<string, string>);
    assert.equal(again.variables.hold_deadline, first.variables.hold_deadline);
    assert.equal(again.variables.hold_tries, "2");
    isUp = () => false;
    const past = await held("GET", { hold_deadline: String(Date.now() - 1), hold_tries: "1" });
    assert.equal((past.outcome as { status: number }).status, 503);
});

test("nginx's own bound on redirects is never met", async () => {
    const { outcome } = await held("GET", { hold_tries: "4" });
    assert.equal((outcome as { status: number }).status, 503);
});

test("Synapse is asked about ten times a second, whatever the number of requests that wait", async () => {
    isUp = () => false;
    const outcomes = await Promise.all(Array.from({ length: 200 }, () => held("GET")));
    assert.ok(outcomes.every(({ outcome }) => (outcome as { status: number }).status === 503));
    assert.ok(probes >= 2 && probes <= 6, String(probes));
});
