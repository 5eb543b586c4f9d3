import { z } from "zod";

/** Stacks of this name get the short prefix `synapse`. */
const PRODUCTION_STACKS = new Set(["prod", "production"]);

export const name = z
    .string({ error: "a name for Docker objects" })
    .regex(/^[a-z0-9][a-z0-9_.-]{0,39}$/, {
        error: "up to 40 lower-case letters, digits and _ . -, beginning with a letter or digit",
    })
    .optional()
    .describe("Prefix of every Docker object. `synapse` in the stack `prod`, `synapse-<stack>` elsewhere.");

/** The prefix of a stack that sets none. */
export function standardName(stack: string): string {
    return PRODUCTION_STACKS.has(stack) ? "synapse" : `synapse-${stack.toLowerCase()}`;
}
