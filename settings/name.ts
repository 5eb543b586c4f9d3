import { createHash } from "node:crypto";
import { z } from "zod";

/** Stacks of this name get the short prefix, `synapse`. */
const PRODUCTION_STACKS = new Set(["prod", "production"]);

const LONGEST = 40;

export const name = z
    .string({ error: "a name for Docker objects" })
    .regex(/^[a-z0-9][a-z0-9_.-]{1,39}$/, {
        error: "2 to 40 lower-case letters, digits and _ . -, beginning with a letter or digit",
    })
    .optional()
    .describe("Prefix of every Docker object. `synapse` in the stack `prod`, `synapse-<stack>` elsewhere.");

/**
 * The prefix of a server that is given none: how it is called and, but in production, its stack. What Docker would
 * refuse in it is replaced, and what is too long cut and told apart by a hash.
 */
export function standardName(server: string, stack: string): string {
    const whole = PRODUCTION_STACKS.has(stack) ? server : `${server}-${stack}`;
    const allowed = whole
        .toLowerCase()
        .replaceAll(/[^a-z0-9_.-]/g, "-")
        .replace(/^[^a-z0-9]+/, "");
    if (allowed.length < 2) return `synapse-${allowed}`.replace(/-$/, "");
    if (allowed.length <= LONGEST) return allowed;
    const hash = createHash("sha256").update(whole).digest("hex").slice(0, 6);
    return `${allowed.slice(0, LONGEST - 7)}-${hash}`;
}
