import { z } from "zod";
import type { FieldFault } from "../faults.ts";
import { flag } from "../kinds.ts";
import type { Given } from "../schema.ts";

/** What can be said wherever nginx speaks TLS. */
export const nginxTls = () => ({
    profile: z
        .enum(["intermediate", "modern"])
        .default("intermediate")
        .describe("Mozilla's TLS profile: `intermediate` is TLS 1.2 and 1.3, `modern` is 1.3 only."),
    http3: flag()
        .default(false)
        .describe("Whether nginx speaks HTTP/3 too, on the UDP port of `ports.https`."),
});

/** Browsers are told the port in advance, so it cannot be one that Docker picks, and picks anew at each start. */
export function http3Faults({ ephemeral, ports, tls }: Given): FieldFault[] {
    if (!("http3" in tls) || !tls.http3 || !ephemeral || ports.https !== undefined) return [];
    return [
        {
            key: "tls.http3",
            got: "true, with a port that Docker picks",
            wanted: "a port that is known in advance",
            fix: "pulumi config set --path synapse:ports.https <value>",
        },
    ];
}
