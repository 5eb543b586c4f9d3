import { z } from "zod";
import { wholeNumber } from "./kinds.ts";

export const signingKey = z
    .strictObject({
        rotation: wholeNumber("a whole number, at least 0", 0)
            .default(0)
            .describe(
                "How often the key has been replaced. One more makes the next `up` replace it; never less, and never two more.",
            ),
    })
    .prefault({})
    .describe("The key that the server signs with: what other servers know it by.");
