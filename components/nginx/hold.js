// Holds requests while Synapse is being replaced, and lets them through when it is back, instead of answering 502.
//
// nginx comes here when Synapse could not be reached or broke off before it answered. Whatever the number of
// requests that wait, Synapse is asked ten times a second whether it is back. A request that may have reached the
// old Synapse is sent again only if doing so twice is the same as once: Matrix sends events by PUT, with a
// transaction id. A response that has begun is past holding; nginx never comes here with one.

const PROBE_MS = 100;
// Someone saw Synapse answer so recently that it needs no asking.
const FRESH_MS = 250;
// Each probe is bounded by `js_fetch_timeout`. nginx itself allows ten redirects a request.
const MOST_TRIES = 4;
const IDEMPOTENT = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"];

async function hold(r) {
    const variables = r.variables;
    const now = Date.now();
    const deadline = Number(variables.hold_deadline) || now + Number(variables.hold_seconds) * 1000;
    const tries = (Number(variables.hold_tries) || 0) + 1;
    variables.hold_deadline = String(deadline);
    variables.hold_tries = String(tries);

    // Of all attempts so far, "-" where no connection came about.
    const reached = /\d/.test(variables.upstream_connect_time || "");
    if (tries > MOST_TRIES || (reached && !IDEMPOTENT.includes(r.method))) {
        unavailable(r, reached);
        return;
    }
    // What was seen before a second failure says nothing of the time since.
    const since = tries > 1 ? now : now - FRESH_MS;
    while (Date.now() < deadline) {
        if (await isBack(variables.hold_probe, since)) {
            r.internalRedirect("@again");
            return;
        }
        await new Promise((resolve) => setTimeout(resolve, PROBE_MS));
    }
    unavailable(r, false);
}

/** Whether Synapse answers, and did so after `since`. One of all the waiting requests asks, the others read what it found. */
async function isBack(url, since) {
    const found = ngx.shared.hold;
    if (found.add("asked", 1, PROBE_MS)) {
        try {
            const answer = await ngx.fetch(url);
            found.set("answered", answer.status === 200 ? Date.now() : 0);
        } catch (_) {
            found.set("answered", 0);
        }
    }
    const answered = found.get("answered") || 0;
    return answered >= since && Date.now() - answered < FRESH_MS;
}

function unavailable(r, uncertain) {
    const error = uncertain
        ? "The server broke off while it worked on this request; whether it was carried out is not known"
        : "The server is being restarted; try again in a moment";
    r.headersOut["Content-Type"] = "application/json";
    r.headersOut["Access-Control-Allow-Origin"] = "*";
    r.headersOut["Retry-After"] = "5";
    r.return(uncertain ? 502 : 503, JSON.stringify({ errcode: "M_UNKNOWN", error }));
}

export default { hold };
