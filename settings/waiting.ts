import { wholeNumber } from "./kinds.ts";

/** How long clients and `pulumi up` wait for Synapse. */

export const holdSeconds = wholeNumber("a whole number of seconds from 0 to 60", 0, 60)
    // As long as the most impatient of the widespread clients wait for an answer; a start without compiled files
    // takes Synapse some 17 of them.
    .default(30)
    .describe(
        "How long nginx holds requests while Synapse is away, instead of answering with an error. 0 holds none.",
    );

export const startSeconds = wholeNumber("a whole number of seconds from 5 to 3600", 5, 3600)
    .default(180)
    .describe(
        "How long `pulumi up` waits for Synapse to answer before it fails; upgrades of the database come on top.",
    );
