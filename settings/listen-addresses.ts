import { isIP } from "node:net";
import { z } from "zod";
import type { Given } from "./schema.ts";

/** Addresses of the Docker host that ports are published on: Synapse's own, and all others. */
export interface ListenAddresses {
    readonly public: readonly string[];
    readonly synapse: readonly string[];
}

const ADDRESS = "an IPv4 or IPv6 address of the Docker host, e.g. 127.0.0.1 or ::";
const addresses = () =>
    z
        .array(
            z.string({ error: ADDRESS }).refine((text) => isIP(text) !== 0, { error: ADDRESS }),
            { error: "a list of addresses" },
        )
        .min(1, { error: "at least one address" })
        .max(6, { error: "at most six addresses" })
        .refine((list) => new Set(list).size === list.length, { error: "each address once" });

export const listenAddresses = z
    .strictObject({
        public: addresses()
            .optional()
            .describe(
                "Where nginx's ports, or Synapse's TLS port, are published. `[0.0.0.0]` when left out, and `[127.0.0.1]` in mode `proxy`.",
            ),
        synapse: addresses().default(["127.0.0.1"]).describe("Where Synapse's plain HTTP port is published."),
    })
    .prefault({})
    .describe("Addresses of the Docker host that the ports are published on.");

export function completeListenAddresses({ listenAddresses, tls }: Given): ListenAddresses {
    // Plain HTTP is for the proxy on this host, unless somebody says otherwise.
    const everybody = tls.mode === "proxy" ? ["127.0.0.1"] : ["0.0.0.0"];
    return { ...listenAddresses, public: listenAddresses.public ?? everybody };
}
