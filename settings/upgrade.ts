import { z } from "zod";
import { flag } from "./kinds.ts";
import type { Given } from "./schema.ts";

export const upgrade = z
    .strictObject({
        dump: flag()
            .optional()
            .describe(
                "Whether the database is dumped before another Synapse image runs on it, for `npm run rollback`. `true` when left out, in a throw-away `false`.",
            ),
    })
    .prefault({})
    .describe("What is done before another Synapse runs.");

/** With what depends on other settings filled in. */
export function completeUpgrade({ ephemeral, upgrade }: Pick<Given, "ephemeral" | "upgrade">): {
    readonly dump: boolean;
} {
    return { dump: upgrade.dump ?? !ephemeral };
}
