import { z } from "zod";

export const maxUploadSize = z
    .string({ error: "a size such as 50M" })
    .regex(/^[1-9][0-9]{0,5}[KM]$/, { error: "a whole number with K or M, e.g. 50M" })
    .default("50M")
    .describe("Largest upload, for nginx and Synapse alike: a number with K (KiB) or M (MiB).");
