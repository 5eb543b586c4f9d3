import { Resolver } from "node:dns/promises";
import { type Answer, get, type Request } from "./client.ts";
import type { Trust } from "./trust.ts";

/** The internet, as far as it is asked here. */
export interface World {
    /** Every IPv4 and IPv6 address of a name, in order; none when the DNS knows none. */
    readonly addresses: (name: string) => Promise<readonly string[]>;
    /** The SRV records of a name, best first. */
    readonly services: (name: string) => Promise<readonly Service[]>;
    readonly get: (request: Omit<Request, "trust" | "signal">) => Promise<Answer>;
}

/** An SRV record. */
export interface Service {
    readonly name: string;
    readonly port: number;
}

/** The DNS gave no answer: neither that there is a record nor that there is none. */
export class NoAnswer extends Error {
    readonly asked: string;

    constructor(asked: string, reason: string) {
        super(reason);
        this.asked = asked;
    }
}

/** Names other DNS servers than the system's, for networks where those answer differently than the world's. */
export const DNS_VARIABLE = "VERIFICATION_DNS";

/** In all: a preview without network must not be slow. */
export const PATIENCE_MS = 5000;

/** The internet as this machine sees it. Its patience runs from now on. */
export function theWorld(trust: Trust, patienceMs = PATIENCE_MS): World {
    // Not the system's own look-up: /etc/hosts is of no use to others.
    const resolver = new Resolver({ timeout: 1500, tries: 2 });
    const servers = process.env[DNS_VARIABLE] ?? "";
    if (servers !== "") resolver.setServers(servers.split(","));
    const signal = AbortSignal.timeout(patienceMs);
    // Cancelled alone, the resolver would begin with what is asked next.
    const late = new Promise<never>((_, reject) => {
        signal.addEventListener("abort", () => {
            resolver.cancel();
            reject(Object.assign(new Error(), { code: "ETIMEOUT" }));
        });
    });
    late.catch(() => undefined);

    const records = async <T>(name: string, type: string, ask: () => Promise<T[]>): Promise<T[]> => {
        try {
            return await Promise.race([late, signal.aborted ? late : ask()]);
        } catch (error) {
            const { code, message } = error as NodeJS.ErrnoException;
            if (code === "ENODATA" || code === "ENOTFOUND") return [];
            const reason = code === "ECANCELLED" || code === "ETIMEOUT" ? "no answer in time" : code;
            throw new NoAnswer(`${type} of ${name}`, reason ?? message);
        }
    };
    const known = new Map<string, Promise<readonly string[]>>();
    const addresses = async (name: string) => {
        const both = await Promise.all([
            records(name, "A", () => resolver.resolve4(name)),
            records(name, "AAAA", () => resolver.resolve6(name)),
        ]);
        return both.flatMap((found) => found.sort());
    };
    return {
        addresses: (name) => {
            const found = known.get(name) ?? addresses(name);
            known.set(name, found);
            return found;
        },
        services: async (name) => {
            const found = await records(name, "SRV", () => resolver.resolveSrv(name));
            return found
                .sort((left, right) => left.priority - right.priority || right.weight - left.weight)
                .map((record) => ({ name: record.name, port: record.port }));
        },
        get: (request) => get({ ...request, trust, signal }),
    };
}
