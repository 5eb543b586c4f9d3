import { z } from "zod";
import { isLoopback, isPublicName } from "../../hosts.ts";
import type { FieldFault } from "../faults.ts";
import { namedHost } from "../public-host.ts";
import type { Given } from "../schema.ts";

export const none = z
    .strictObject({ mode: z.literal("none") })
    .describe("Plain HTTP on 8008, for a first look on this machine alone.");

const OTHER_MODES =
    "tls.mode proxy for a proxy of your own, or a tls.mode with a certificate, such as local-ca";

/** The mode `none` is for a look from this machine: nothing encrypts, and nobody else finds its URL. */
export function firstLookFaults(given: Given): FieldFault[] {
    if (given.tls.mode !== "none") return [];
    const { key, host } = namedHost(given);
    return [
        ...given.listenAddresses.synapse.flatMap((address, index) =>
            isLoopback(address)
                ? []
                : {
                      key: `listenAddresses.synapse[${index}]`,
                      got: JSON.stringify(address),
                      wanted: "a loopback address: tls.mode none encrypts nothing, and is for a first look on this machine alone",
                      fix: `pulumi config rm --path synapse:listenAddresses.synapse; or ${OTHER_MODES}`,
                  },
        ),
        ...(isPublicName(host)
            ? [
                  {
                      key,
                      got: JSON.stringify(host),
                      wanted: "a name for this machine alone, such as localhost: tls.mode none is for a first look",
                      fix: `pulumi config set synapse:publicHost localhost; or ${OTHER_MODES}`,
                  },
              ]
            : []),
    ];
}
