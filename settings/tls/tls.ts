import { z } from "zod";
import { acme } from "./acme.ts";
import { files } from "./files.ts";
import { localCa } from "./local-ca.ts";
import { none } from "./none.ts";
import { behindProxy } from "./proxy.ts";
import { synapse } from "./synapse.ts";

export const tls = z
    .discriminatedUnion("mode", [acme, files, localCa, behindProxy, synapse, none], {
        error: "an object with `mode`: acme, files, local-ca, proxy, synapse or none",
    })
    .describe("Who speaks TLS, and where the certificate comes from.");

/** Who speaks TLS, and how: one of the modes. */
export type Tls = z.output<typeof tls>;

/** There is no mode that fits most stacks, so none is taken without a word. */
export const TLS_WHEN_MISSING =
    "pulumi config set --path synapse:tls.mode acme, for a server on the internet; or local-ca for a first look or a " +
    "closed network, proxy behind a proxy of your own, files for a certificate that you have";
