// What nginx does with requests while Synapse is away.
//
// Here come requests that Synapse's announcement of a restart keeps back, and those that nginx could not deliver or
// got no answer to (502). They wait until Synapse answers its health check, and are then let through, spread over
// time. Whatever the number that waits, Synapse is asked about ten times a second. A stalled Synapse breaks nothing
// off, so its requests never come here.
//
// A request that Synapse may have read is sent once more at most, only if twice is the same as once, and only if
// Synapse was seen to be gone: one that answers its health check broke that request off by itself, and would again.

// biome-ignore lint/style/useNodejsImportProtocol: the name that njs knows it by.
import fs from "fs";

const PROBE_MS = 100;
// How often the requests that do not ask look at what was found.
const LOOK_MS = 300;
// Names of the counts of requests that looked in the last rounds.
const ROUNDS = ["waiting 0", "waiting 1", "waiting 2", "waiting 3", "waiting 4", "waiting 5"];
// What the last probe found; each is bounded by `js_fetch_timeout`.
const GONE = 0;
const THERE = 1;
const SILENT = 2;
// nginx allows ten redirects a request, and each try takes two.
const MOST_TRIES = 4;
// For each request that waits, the time over which all of them are let through grows by so much, up to a bound.
const SPREAD_MS = 5;
const LONGEST_SPREAD_MS = 2000;
// Synapse gives what is under way five seconds. Should it answer so long after it announced its end, it is back, and
// could not take the announcement away.
const LONGEST_FAREWELL_MS = 10000;

// Of these, Synapse's database knows the transaction's id; a sync has no effect, and clients repeat it themselves.
const TRANSACTION =
    /^\/_matrix\/(?:client\/(?:api\/v1|r0|v3|unstable)\/rooms\/[^/]+\/(?:send|redact)\/[^/]+\/[^/]+|federation\/v1\/send\/[^/]+)\/?$/;
const SLIDING_SYNC = /^\/_matrix\/client\/(?:unstable\/org\.matrix\.simplified_msc3575|v4)\/sync\/?$/;

async function hold(r) {
    const variables = r.variables;
    if (isThere(variables.hold_maintenance)) {
        // Whoever waited would wait in vain.
        refuse(r, 503, "The server is being maintained, and will be back in a while", "60");
        return;
    }
    const now = Date.now();
    const deadline = Number(variables.hold_deadline) || now + Number(variables.hold_seconds) * 1000;
    const tries = (Number(variables.hold_tries) || 0) + 1;
    variables.hold_deadline = String(deadline);
    variables.hold_tries = String(tries);

    const deliveries = deliveriesOf(variables.upstream_bytes_sent || "");
    if (
        deliveries > 1 ||
        (deliveries === 1 && !(isRepeatable(r) && (await isGone(deadline, variables, now))))
    ) {
        refuse(
            r,
            502,
            "The server broke off while it worked on this request; whether it was carried out is not known",
        );
        return;
    }
    if (tries <= MOST_TRIES && (await isBackBy(deadline, variables, now))) {
        r.internalRedirect("@again");
        return;
    }
    turnAway(r);
}

/** Answers a request that cannot wait, or not any longer. */
function turnAway(r) {
    refuse(r, 503, "The server is being restarted; try again in a moment");
}

/** How many attempts sent anything at all: of "0, 512 : 0", one. */
function deliveriesOf(bytesSent) {
    return bytesSent.split(/[,:]/).filter((bytes) => Number(bytes) > 0).length;
}

function isRepeatable(r) {
    const path = r.variables.request_path || "";
    if (r.method === "GET" || r.method === "HEAD" || r.method === "OPTIONS") return true;
    if (r.method === "PUT") return TRANSACTION.test(path);
    return r.method === "POST" && SLIDING_SYNC.test(path);
}

/** Whether Synapse announced that it goes, or is not there when asked after `since`. One that is silent is no answer. */
async function isGone(deadline, variables, since) {
    const found = ngx.shared.hold;
    while (Date.now() < deadline) {
        if (isThere(variables.hold_announcement)) return true;
        await ask(variables.hold_probe);
        // It may be back by now.
        if ((found.get("gone at") || 0) >= since) return true;
        if ((found.get("asked at") || 0) >= since && found.get("found") === THERE) return false;
        await sleep(PROBE_MS / 5);
    }
    return false;
}

/**
 * Waits until Synapse is there, seen after `since`, and until it is this request's turn; not beyond `deadline`.
 * Without promises but for the one that asks: njs keeps what a request allocates until the request ends, and that
 * many times over for every request that waits would be more than nginx has memory for.
 */
function isBackBy(deadline, variables, since) {
    const found = ngx.shared.hold;
    const url = variables.hold_probe;
    const announcement = variables.hold_announcement;
    const maintenance = variables.hold_maintenance;
    return new Promise((resolve) => {
        function look() {
            const now = Date.now();
            if (now >= deadline || isThere(maintenance)) {
                resolve(false);
                return;
            }
            // Counted anew each time: a client that goes away ends this without a word.
            const round = Math.floor(now / LOOK_MS) % ROUNDS.length;
            found.incr(ROUNDS[round], 1, 0, 2 * LOOK_MS);
            if (isBack(announcement, since)) {
                const before = ROUNDS[(round + ROUNDS.length - 1) % ROUNDS.length];
                const others = Math.max(found.get(ROUNDS[round]) || 0, found.get(before) || 0) - 1;
                setTimeout(resolve, Math.random() * Math.min(others * SPREAD_MS, LONGEST_SPREAD_MS), true);
                return;
            }
            const asks = found.get("asking") === undefined;
            if (asks) ask(url);
            setTimeout(look, asks ? PROBE_MS : LOOK_MS);
        }
        // The first look is worth more with an answer.
        ask(url).then(look);
    });
}

function isBack(announcement, since) {
    const found = ngx.shared.hold;
    if (found.get("found") !== THERE || (found.get("asked at") || 0) < since) return false;
    const announced = changedAt(announcement);
    return announced === 0 || Date.now() - announced > LONGEST_FAREWELL_MS;
}

function isThere(file) {
    return changedAt(file) > 0;
}

/** Milliseconds since 1970; 0 when there is no such file. */
function changedAt(file) {
    try {
        return fs.statSync(file).mtimeMs;
    } catch (_) {
        return 0;
    }
}

/** Asks Synapse whether it is well, unless another of the waiting requests just did. */
async function ask(url) {
    const found = ngx.shared.hold;
    if (!found.add("asking", 1, PROBE_MS)) return;
    const asked = Date.now();
    let state;
    try {
        state = (await ngx.fetch(url)).status === 200 ? THERE : SILENT;
    } catch (error) {
        state = /timed out/.test(error.message) ? SILENT : GONE;
    }
    if (state === GONE) found.set("gone at", Math.max(asked, found.get("gone at") || 0));
    // A slow answer does not replace a newer one.
    if (asked < (found.get("asked at") || 0)) return;
    found.set("found", state);
    found.set("asked at", asked);
}

function sleep(milliseconds) {
    return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function refuse(r, status, error, seconds) {
    r.headersOut["Content-Type"] = "application/json";
    r.headersOut["Access-Control-Allow-Origin"] = "*";
    r.headersOut["Retry-After"] = seconds || "5";
    r.return(status, JSON.stringify({ errcode: "M_UNKNOWN", error }));
}

export default { hold, turnAway };
