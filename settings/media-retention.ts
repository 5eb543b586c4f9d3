import { z } from "zod";

const LIFETIME = "a duration such as 90d (s, m, h, d, w, y), or off";

const lifetime = () =>
    z.string({ error: LIFETIME }).regex(/^([1-9][0-9]{0,8}[smhdwy]|off)$/, { error: LIFETIME });

export const mediaRetention = z
    .strictObject({
        remote: lifetime()
            .default("90d")
            .describe(
                "Copies of other servers' files, which Synapse fetches again when somebody asks for them.",
            ),
        local: lifetime()
            .default("off")
            .describe("Files that this server's users have uploaded. What is removed is lost for ever."),
    })
    .prefault({})
    .describe(
        "How long after it was last looked at Synapse keeps a file: a number with s, m, h, d, w or y; `off` keeps it.",
    );
