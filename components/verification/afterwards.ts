import { once } from "node:events";
import { isIP } from "node:net";
import { connect } from "node:tls";
import { withoutBrackets } from "../../hosts.ts";
import type { Expectations, OutsideExpectations } from "./expectations.ts";
import { lookOutside } from "./outside.ts";
import { placeOf } from "./place.ts";
import { targets } from "./targets.ts";
import { verify } from "./verify.ts";
import { PATIENCE_MS } from "./world.ts";

/** What changes without a deployment. */
export interface Aftermath {
    /** What of the server does not work. */
    readonly failures: readonly string[];
    /** What the internet does not do for the server, and how that is mended. */
    readonly warnings: readonly string[];
    /** End of the certificate that is served, ISO 8601; null without one, or when it cannot be asked from here. */
    readonly certificateExpiry: string | null;
}

/** Asks a server as its verification did, and tells what does not hold. */
export async function failuresOf(
    expected: Expectations,
    dockerHost: string | undefined,
    patienceMs: number,
): Promise<readonly string[]> {
    const asked = placeOf(dockerHost).then((place) => verify(expected, place, patienceMs));
    // One question alone may take longer.
    return inTime(asked, patienceMs + GRACE_MS).then(
        ({ failures }) => failures,
        (error: unknown) => [`it was asked, and could not be: ${reason(error)}`],
    );
}

const GRACE_MS = 1_000;

/** Looks at a server that was verified; `outside` is null for one that is not on the internet. */
export async function afterwards(
    expected: Expectations,
    outside: OutsideExpectations | null,
    dockerHost: string | undefined,
    patienceMs = PATIENCE_MS,
): Promise<Omit<Aftermath, "failures">> {
    const [warnings, end] = await Promise.all([
        outside === null
            ? []
            : lookOutside(outside, patienceMs).catch((error: unknown) => [
                  `It could not be looked at what the internet does for this server: ${reason(error)}`,
              ]),
        inTime(servedUntil(expected, dockerHost, patienceMs), patienceMs).catch(() => undefined),
    ]);
    const ended =
        end !== undefined && end.getTime() < Date.now()
            ? [`the certificate that ${expected.publicHost} serves ended on ${end.toISOString()}`]
            : [];
    return { warnings: [...warnings, ...ended], certificateExpiry: end?.toISOString() ?? null };
}

/** End of the certificate at the first address where clients are served, whatever else is wrong with it. */
async function servedUntil(
    expected: Expectations,
    dockerHost: string | undefined,
    patienceMs: number,
): Promise<Date | undefined> {
    const host = withoutBrackets(expected.publicHost);
    const listeners = expected.listeners.filter(({ serves, tls }) => tls && serves.includes("clients"));
    const [target] = targets(listeners, await placeOf(dockerHost)).asked;
    if (target === undefined) return undefined;
    const socket = connect({
        host: target.address,
        port: target.listener.port,
        servername: isIP(host) === 0 ? host : "",
        rejectUnauthorized: false,
    });
    socket.setTimeout(patienceMs, () => socket.destroy(new Error("no answer in time")));
    try {
        await once(socket, "secureConnect");
        return new Date(socket.getPeerCertificate().valid_to);
    } finally {
        socket.destroy();
    }
}

/** Rejects when it takes longer; whoever asked then ends the process, and with it what is still under way. */
function inTime<Value>(value: Promise<Value>, patienceMs: number): Promise<Value> {
    const late = new Promise<never>((_, reject) => {
        setTimeout(() => reject(new Error("no answer in time")), patienceMs).unref();
    });
    return Promise.race([value, late]);
}

function reason(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
