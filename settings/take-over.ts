import { z } from "zod";

export const takeOver = z
    .array(
        z.string({ error: "a deployment's id" }).regex(/^[0-9a-f]{16}$/, {
            error: "a deployment's id, which the refusal names: 16 hexadecimal digits",
        }),
        { error: "a list of deployments' ids" },
    )
    .default([])
    .describe(
        "Ids of other deployments of the same name, from another backend or a state that is lost, whose containers " +
            "and networks this one may replace, and whose volumes it may adopt. The refusal to touch them names the id.",
    );
