import { Refusal } from "./refusal.ts";

/** Everything that went wrong while a program was carried out, each failure once. */
export class Failures {
    readonly messages: string[] = [];
    readonly #seen = new Set<unknown>();

    get any(): boolean {
        return this.messages.length > 0;
    }

    add(error: unknown, subject?: string): void {
        if (this.#seen.has(error) || error instanceof Cancelled) return;
        this.#seen.add(error);
        const message = messageOf(error);
        this.messages.push(subject === undefined ? message : `${subject}: ${message}`);
    }
}

/** What is left out because something else has failed: no failure of its own. */
export class Cancelled extends Error {
    /** gRPC's CANCELLED: the SDK then leaves whatever depends on the resource pending, and reports nothing itself. */
    readonly code = 1;

    constructor() {
        super("cancelled");
    }
}

/** What to show of an error: of one that is meant for people the message alone, of any other where it comes from. */
export function messageOf(error: unknown): string {
    if (!(error instanceof Error)) return String(error);
    const { message, stack = message } = error;
    const forPeople =
        error instanceof Refusal ||
        "statusCode" in error || // Docker's own answers
        // Pulumi's RunError and ResourceError, by their own marks: asking their classes would load the whole SDK.
        "__pulumiRunError" in error ||
        "__pulumResourceError" in error;
    return forPeople ? message : stack;
}
