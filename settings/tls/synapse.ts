import { z } from "zod";
import { certificateFiles } from "./certificate-files.ts";

export const synapse = z
    .strictObject({ mode: z.literal("synapse"), ...certificateFiles() })
    .describe("Synapse itself listens with TLS on 8448; no nginx.");
