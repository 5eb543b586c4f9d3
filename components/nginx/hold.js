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
// What the last probe found; each is bounded by `js_fetch_timeout`.
const GONE = 0;
const THERE = 1;
const SILENT = 2;
// nginx allows ten redirects a request, and each try takes two.
const MOST_TRIES = 4;
// For each request that waits, the time over which all of them are let through grows by so much, up to a bound.
const SPREAD_MS = 5;
const LONGEST_SPREAD_MS = 2000;
// Synapse gives what is under way two seconds. Should it answer so long after it announced its end, it is back, and
// could not take the announcement away.
const LONGEST_FAREWELL_MS = 10000;

// Of these, Synapse's database knows the transaction's id; a sync has no effect, and clients repeat it themselves.
const TRANSACTION =
    /^\/_matrix\/(?:client\/(?:api\/v1|r0|v3|unstable)\/rooms\/[^/]+\/(?:send|redact)\/[^/]+\/[^/]+|federation\/v1\/send\/[^/]+)\/?$/;
const SLIDING_SYNC = /^\/_matrix\/client\/(?:unstable\/org\.matrix\.simplified_msc3575|v4)\/sync\/?$/;

async function hold(r) {
    const variables = r.variables;
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
        if (announcedAt(variables) > 0) return true;
        await ask(variables.hold_probe);
        const seen = (found.get("asked at") || 0) >= since ? found.get("found") : SILENT;
        if (seen !== SILENT) return seen === GONE;
        await sleep(PROBE_MS / 5);
    }
    return false;
}

/** Waits until Synapse is there, seen after `since`, and until it is this request's turn; not beyond `deadline`. */
async function isBackBy(deadline, variables, since) {
    const found = ngx.shared.hold;
    while (Date.now() < deadline) {
        // Counted anew each time: a client that goes away ends this without a word.
        const round = Math.floor(Date.now() / PROBE_MS);
        found.incr(`waiting ${round}`, 1, 0, 1000);
        await ask(variables.hold_probe);
        if (isBack(variables, since)) {
            const others =
                Math.max(found.get(`waiting ${round}`) || 0, found.get(`waiting ${round - 1}`) || 0) - 1;
            if (others > 0) await sleep(Math.random() * Math.min(others * SPREAD_MS, LONGEST_SPREAD_MS));
            return true;
        }
        await sleep(PROBE_MS);
    }
    return false;
}

function isBack(variables, since) {
    const found = ngx.shared.hold;
    if (found.get("found") !== THERE || (found.get("asked at") || 0) < since) return false;
    const announced = announcedAt(variables);
    return announced === 0 || Date.now() - announced > LONGEST_FAREWELL_MS;
}

/** When Synapse announced its end; 0 when it has not, or is back. */
function announcedAt(variables) {
    try {
        return fs.statSync(variables.hold_announcement).mtimeMs;
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
    // A slow answer does not replace a newer one.
    if (asked < (found.get("asked at") || 0)) return;
    found.set("found", state);
    found.set("asked at", asked);
}

function sleep(milliseconds) {
    return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function refuse(r, status, error) {
    r.headersOut["Content-Type"] = "application/json";
    r.headersOut["Access-Control-Allow-Origin"] = "*";
    r.headersOut["Retry-After"] = "5";
    r.return(status, JSON.stringify({ errcode: "M_UNKNOWN", error }));
}

export default { hold };
