import { z } from "zod";
import { text, wholeNumber } from "../kinds.ts";

/** How an ACME server sees that the names are ours. */
export const challenge = z
    .discriminatedUnion(
        "type",
        [
            z
                .strictObject({ type: z.literal("http-01") })
                .describe("Through nginx: port 80 of `publicHost` leads here from the internet."),
            z
                .strictObject({
                    type: z.literal("dns-01"),
                    plugin: text(
                        /^[a-z0-9]+(-[a-z0-9]+)*$/,
                        "the name of one of certbot's DNS plugins without dns-, e.g. cloudflare",
                    ).describe("certbot's DNS plugin without `dns-`: `cloudflare`, `rfc2136`, …"),
                    credentials: text(/\S/, "the text of the plugin's credentials file").describe(
                        "Text of the plugin's credentials file. Secret: set it with `--secret`.",
                    ),
                    propagationSeconds: wholeNumber("a whole number of seconds, at most 3600", 0, 3600)
                        .optional()
                        .describe("Seconds to wait for the DNS. The plugin's own default when left out."),
                })
                .describe("Through the DNS: for closed ports and wildcard names."),
        ],
        { error: "an object with `type`: http-01 or dns-01" },
    )
    .prefault({ type: "http-01" })
    .describe("How the CA sees that the names are yours.");
