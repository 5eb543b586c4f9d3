import { Refusal } from "./refusal.ts";

const UNITS: Readonly<Record<string, number>> = {
    h: 3600e9,
    m: 60e9,
    s: 1e9,
    ms: 1e6,
    us: 1e3,
    µs: 1e3,
    ns: 1,
};

/** Nanoseconds of a Go duration such as `1m30s`. */
export function nanoseconds(duration: string | undefined): number {
    if (duration === undefined || duration === "0") return 0;
    if (!/^(\d+(\.\d+)?(h|ms|m|s|us|µs|ns))+$/.test(duration)) {
        throw new Refusal(`healthcheck: ${duration} is not a duration such as "30s" or "1m30s"`);
    }
    const terms = duration.matchAll(/([\d.]+)(h|ms|m|s|us|µs|ns)/g);
    return [...terms].reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit ?? ""] ?? 0), 0);
}
