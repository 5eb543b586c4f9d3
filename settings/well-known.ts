import { z } from "zod";
import type { FieldFault } from "./faults.ts";
import { front } from "./front.ts";
import type { Given } from "./schema.ts";

/** Bytes. nginx takes no word of 4096 in its configuration, and what the program sets itself needs room, too. */
const LONGEST = 3000;

/** An object that is merged into one of the documents; `owned` are its keys that this program sets itself. */
const document = (owned: Readonly<Record<string, string>>) =>
    z.record(z.string(), z.unknown(), { error: "an object" }).superRefine((members, context) => {
        for (const [key, fix] of Object.entries(owned)) {
            if (!Object.hasOwn(members, key)) continue;
            context.addIssue({
                code: "custom",
                path: [key],
                message: "nothing: the program sets it itself",
                params: { fix },
                input: members[key],
            });
        }
        // As it stands there: backslashes twice, and others instead of what would end the word.
        const word = JSON.stringify(members).replaceAll("\\", "\\\\").replaceAll(/['$]/g, "\\\\u0027");
        const length = Buffer.byteLength(word);
        if (length <= LONGEST) return;
        const message = `at most ${LONGEST} bytes of JSON, in which ' and $ count as seven and a backslash as two`;
        context.addIssue({ code: "custom", message, input: `${length} bytes` });
    });

export const wellKnown = z
    .strictObject({
        client: document({ "m.homeserver": "set synapse:publicHost and synapse:ports.https" })
            .default({})
            .describe("Merged into `.well-known/matrix/client`, which clients read: `m.identity_server`, …"),
        server: document({ "m.server": "set synapse:publicHost and synapse:federation.port" })
            .default({})
            .describe("Merged into `.well-known/matrix/server`, which other servers read."),
        support: document({})
            .refine((members) => "contacts" in members || "support_page" in members, {
                error: "an object with `contacts` or `support_page`",
            })
            .optional()
            .describe("`.well-known/matrix/support`: whom to turn to. Not served when left out."),
    })
    .prefault({})
    .describe("What `.well-known/matrix` says beside where the server is.");

/** Without nginx Synapse serves the clients' file alone, and takes additions to it. */
export function unservedFaults(given: Given): FieldFault[] {
    const { tls, wellKnown } = given;
    if (front(given) === "proxy") return [];
    const unserved = [
        ...(Object.keys(wellKnown.server).length > 0 ? ["wellKnown.server"] : []),
        ...(wellKnown.support === undefined ? [] : ["wellKnown.support"]),
    ];
    return unserved.map((key) => ({
        key,
        got: "an object",
        wanted: `nothing: in tls.mode ${tls.mode} nobody serves it`,
        fix: `pulumi config rm --path synapse:${key}, or a tls.mode with nginx`,
    }));
}
