import { z } from "zod";
import { isServerName } from "../hosts.ts";

export const serverName = z
    .string({ error: (issue) => wanted(issue.input) })
    .refine(isServerName, { error: (issue) => wanted(issue.input) })
    .describe("Matrix server name: what follows the colon in `@alice:example.org`. Permanent.");

/** What is wanted instead of a text that is no server name here, or why it is none. */
function wanted(text: unknown): string {
    if (typeof text !== "string") return "a Matrix server name, e.g. example.org";
    if (/:\d+$/.test(text) && isServerName(text.replace(/:\d+$/, ""))) {
        return "a server name without a port: a port would stand in every user's name for ever, and .well-known does what it is wanted for";
    }
    if (isServerName(text.toLowerCase())) return "the name in lower case: servers compare names byte by byte";
    return "a DNS name, an IPv4 address or an IPv6 address in brackets, e.g. example.org";
}
