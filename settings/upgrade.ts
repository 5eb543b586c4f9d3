import { z } from "zod";
import { flag } from "./kinds.ts";

export const upgrade = z
    .strictObject({
        dump: flag()
            .default(true)
            .describe(
                "Whether the database is dumped before another Synapse image runs on it, for `npm run rollback`.",
            ),
    })
    .prefault({})
    .describe("What is done before another Synapse runs.");
