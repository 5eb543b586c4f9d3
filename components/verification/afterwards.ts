import { execFile } from "node:child_process";
import { once } from "node:events";
import { isIP } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { withoutBrackets } from "../../hosts.ts";
import { diskWarnings } from "./disk.ts";
import type { Expectations, OutsideExpectations } from "./expectations.ts";
import { lookOutside } from "./outside.ts";
import { placeOf } from "./place.ts";
import { targets } from "./targets.ts";
import { inTime } from "./time.ts";
import { verify } from "./verify.ts";
import { PATIENCE_MS } from "./world.ts";

/** What changes without a deployment. */
export interface Aftermath {
    /** What the server was asked and answered, a line each. */
    readonly holds: readonly string[];
    /** What of the server does not work. */
    readonly failures: readonly string[];
    /** What the internet does not do for the server, and what else is to be seen to before long. */
    readonly warnings: readonly string[];
    /** End of the certificate that is served, ISO 8601; null without one, or when it cannot be asked from here. */
    readonly certificateExpiry: string | null;
}

/** Asks a server as its verification did: what holds, and what does not. */
export async function askAgain(
    expected: Expectations,
    dockerHost: string | undefined,
    patienceMs: number,
): Promise<Pick<Aftermath, "holds" | "failures">> {
    try {
        const place = await inTime(placeOf(dockerHost), PLACE_MS);
        return await verify(expected, place, patienceMs);
    } catch (error) {
        return { holds: [], failures: [`it could not be asked: ${reason(error)}`] };
    }
}

/** For the look at where this machine is, which may ask the DNS. */
const PLACE_MS = 5_000;

/** Waits while Docker has only just started some containers, as it does when the machine has; at most so long. */
export async function whileStarting(containers: readonly string[], patienceMs: number): Promise<void> {
    const deadline = Date.now() + patienceMs;
    while (Date.now() < deadline && (await areStarting(containers))) await sleep(1000);
}

async function areStarting(containers: readonly string[]): Promise<boolean> {
    const format = "{{if .State.Health}}{{.State.Health.Status}}{{end}}";
    const asked = promisify(execFile)("docker", ["inspect", "--format", format, ...containers], {
        timeout: 20_000,
    });
    // One that is not there does not start; what that means, the questions tell.
    return asked.then(
        ({ stdout }) => stdout.split("\n").includes("starting"),
        () => false,
    );
}

/** Looks at a server that was verified; `outside` is null for one that is not on the internet. */
export async function afterwards(
    expected: Expectations,
    outside: OutsideExpectations | null,
    dockerHost: string | undefined,
    patienceMs = PATIENCE_MS,
): Promise<Omit<Aftermath, "holds" | "failures">> {
    const [warnings, end, disk] = await Promise.all([
        outside === null
            ? []
            : lookOutside(outside, patienceMs).catch((error: unknown) => [
                  `It could not be looked at what the internet does for this server: ${reason(error)}`,
              ]),
        inTime(servedUntil(expected, dockerHost, patienceMs), patienceMs).catch(() => undefined),
        diskWarnings(expected.container, patienceMs),
    ]);
    const ended =
        end !== undefined && end.getTime() < Date.now()
            ? [`the certificate that ${expected.publicHost} serves ended on ${end.toISOString()}`]
            : [];
    return { warnings: [...warnings, ...ended, ...disk], certificateExpiry: end?.toISOString() ?? null };
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

function reason(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
