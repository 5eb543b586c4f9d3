import { z } from "zod";
import { isServerName } from "./names.ts";

const PORT = "443 or 8448";
const NAMES = "a list of server names, e.g. [matrix.org]";

/** How other servers reach this one. */
export const federation = z
    .strictObject({
        enabled: z
            .boolean({ error: "true or false" })
            .default(true)
            .describe("Whether other servers can reach this one, and it them."),
        port: z
            .preprocess(
                // An editor may have quoted it.
                (value) => (typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value),
                z.literal([443, 8448], { error: PORT }),
            )
            .default(8448)
            .describe(
                "8448: a port of its own, `ports.federation`. 443: the port of the clients, `ports.https`, alone; in mode `proxy` always that of `tls.publicUrl`.",
            ),
        allowList: z
            .array(
                z
                    .string({ error: NAMES })
                    .refine((name) => isServerName(name.replace(/:\d{1,5}$/, "")), { error: NAMES }),
                { error: NAMES },
            )
            .min(1, { error: "at least one server; federation.enabled false is for none" })
            .optional()
            .describe("The only servers to federate with. All of them when left out."),
    })
    .prefault({});
