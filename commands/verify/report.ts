/** What came of asking a server anew. */
export interface Report {
    readonly stack: string;
    readonly clientUrl: string;
    /** A line for each thing that holds. */
    readonly holds: readonly string[];
    /** What does not hold: at each address the first of it. */
    readonly failures: readonly string[];
    /** What was not asked, and why. */
    readonly notes: readonly string[];
    /** End of the certificate that is served, ISO 8601; null without one, or when it cannot be asked from here. */
    readonly certificateExpiry: string | null;
    /** What the internet did not do for the server at the last `up`. */
    readonly warnings: readonly string[];
}

/** What holds, a line each, then all else. */
export function inWords(report: Report): string {
    const { clientUrl, holds, failures, notes, certificateExpiry, warnings } = report;
    return [
        `${clientUrl}: ${holds.length} ${holds.length === 1 ? "thing holds" : "things hold"}, ${failures.length} ${failures.length === 1 ? "does" : "do"} not.`,
        ...holds.map((line) => `  ${line}`),
        ...(certificateExpiry === null ? [] : [`Its certificate ends on ${certificateExpiry.slice(0, 10)}.`]),
        ...notes,
        ...warnings.map((warning) => `Warning: ${warning}`),
        ...failures.map((failure) => `FAILED: ${failure}`),
    ].join("\n");
}
