import { withoutBrackets } from "../../hosts.ts";
import { get } from "./client.ts";
import type { Expectations, OutsideExpectations } from "./expectations.ts";
import { lookOutside } from "./outside.ts";
import { placeOf } from "./place.ts";
import { targets } from "./targets.ts";
import { trustIn } from "./trust.ts";

/** What changes without a deployment. */
export interface Aftermath {
    /** What the internet does not do for the server, and how that is mended. */
    readonly warnings: readonly string[];
    /** End of the certificate that is served, ISO 8601; null without one, or when it cannot be asked from here. */
    readonly certificateExpiry: string | null;
}

const PATIENCE_MS = 5_000;

/** Looks at a server that was verified; `outside` is null for one that is not on the internet. */
export async function afterwards(
    expected: Expectations,
    outside: OutsideExpectations | null,
    dockerHost: string | undefined,
): Promise<Aftermath> {
    const [warnings, certificateExpiry] = await Promise.all([
        outside === null
            ? []
            : lookOutside(outside).catch((error: unknown) => [
                  `It could not be looked at what the internet does for this server: ${reason(error)}`,
              ]),
        servedUntil(expected, dockerHost).catch(() => null),
    ]);
    return { warnings, certificateExpiry };
}

/** End of the certificate at the first address where clients are served. */
async function servedUntil(expected: Expectations, dockerHost: string | undefined): Promise<string | null> {
    const { publicHost } = expected;
    const listeners = expected.listeners.filter(({ serves, tls }) => tls && serves.includes("clients"));
    const [target] = targets(listeners, await placeOf(dockerHost)).asked;
    if (target === undefined) return null;
    const { certificateEnd } = await get({
        address: target.address,
        port: target.listener.port,
        tlsName: withoutBrackets(publicHost),
        host: publicHost,
        path: "/_matrix/client/versions",
        // The date is all that is wanted of it.
        trust: trustIn([], false),
        signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return certificateEnd?.toISOString() ?? null;
}

function reason(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
