import { z } from "zod";
import { isServerName } from "../hosts.ts";
import type { FieldFault } from "./faults.ts";
import { front } from "./front.ts";
import { flag, unquoted } from "./kinds.ts";
import type { Given } from "./schema.ts";

const PORT = "443 or 8448";
const NAMES = "a list of server names, e.g. [matrix.org]";

export const federation = z
    .strictObject({
        enabled: flag().default(true).describe("Whether other servers can reach this one, and it them."),
        port: z
            .preprocess(unquoted, z.literal([443, 8448], { error: PORT }))
            .default(8448)
            .describe(
                "8448: a port of its own, `ports.federation`. 443: the port of the clients, `ports.https`, alone; in mode `proxy` always that of `tls.publicUrl`.",
            ),
        allowList: z
            .array(
                z
                    .string({ error: NAMES })
                    .refine((name) => isServerName(name.replace(/:\d{1,5}$/, "")), { error: NAMES }),
                { error: NAMES },
            )
            .min(1, { error: "at least one server; federation.enabled false is for none" })
            .optional()
            .describe("The only servers to federate with. All of them when left out."),
    })
    .prefault({})
    .describe("How other Matrix servers reach this one.");

/** Where other servers are served: on a port of their own, on that of the clients, or nowhere. */
export type FederationPlace = "apart" | "with clients" | "off";

export function federationPlace({ federation, tls }: Pick<Given, "federation" | "tls">): FederationPlace {
    if (!federation.enabled) return "off";
    const hasTwoPorts = front({ tls }) === "proxy" && tls.mode !== "proxy";
    return hasTwoPorts && federation.port === 8448 ? "apart" : "with clients";
}

/** Settings of federation that say nothing, or the opposite of one another. */
export function federationFaults(given: Given): FieldFault[] {
    const { federation, ports, tls, wellKnown } = given;
    const place = federationPlace(given);
    const isBehindNginx = front(given) === "proxy";
    const off = "nothing: federation.enabled is false";
    return [
        ...(place === "off" && federation.allowList !== undefined
            ? [useless("federation.allowList", "a list of servers", off)]
            : []),
        ...(place === "off" && Object.keys(wellKnown.server).length > 0
            ? [useless("wellKnown.server", "an object", off)]
            : []),
        ...(isBehindNginx && tls.mode !== "proxy" && place !== "apart" && ports.federation !== undefined
            ? [
                  useless(
                      "ports.federation",
                      String(ports.federation),
                      place === "off" ? off : "nothing: federation.port is 443, which is ports.https",
                  ),
              ]
            : []),
        ...(!isBehindNginx && federation.enabled && federation.port === 443
            ? [
                  useless(
                      "federation.port",
                      "443",
                      `8448: in tls.mode ${tls.mode} clients and servers share one port`,
                      tls.mode === "none"
                          ? ""
                          : "; to publish it on 443, pulumi config set --path synapse:ports.federation 443",
                  ),
              ]
            : []),
    ];
}

function useless(key: string, got: string, wanted: string, more = ""): FieldFault {
    return { key, got, wanted, fix: `pulumi config rm --path synapse:${key}${more}` };
}
