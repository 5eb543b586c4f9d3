import { flag } from "./kinds.ts";
import type { Given } from "./schema.ts";

export const upgradeDump = flag()
    .optional()
    .describe(
        "Whether the database is dumped before another Synapse image runs on it, for `npm run rollback`. `true` when left out, in a throw-away `false`.",
    );

export function completeUpgradeDump({
    ephemeral,
    upgradeDump,
}: Pick<Given, "ephemeral" | "upgradeDump">): boolean {
    return upgradeDump ?? !ephemeral;
}
