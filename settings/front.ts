import type { Tls } from "./tls/tls.ts";

/** Who stands before Synapse: nobody, Synapse itself with TLS, or nginx. */
export type Front = "none" | "tls" | "proxy";

export function front({ tls }: { readonly tls: Tls }): Front {
    if (tls.mode === "none") return "none";
    return tls.mode === "synapse" ? "tls" : "proxy";
}
