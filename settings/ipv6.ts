import { isIP } from "node:net";
import type { FieldFault } from "./faults.ts";
import { flag } from "./kinds.ts";
import type { Given } from "./schema.ts";

export const ipv6 = flag()
    .default(false)
    .describe(
        "Whether the stack's network has IPv6, so that ports may be published there. Docker 27 or newer, or `ip6tables`.",
    );

export const ip6tables = flag()
    .default(false)
    .describe(
        "That a Docker engine before 27 runs with its option `ip6tables`: your word, since the engine does not tell.",
    );

/** Docker's proxy would pass all IPv6 clients on under one address. On `::1` there is but one client, the host. */
export function ipv6Faults({ ipv6, listenAddresses }: Given): FieldFault[] {
    if (ipv6) return [];
    const published = (["public", "synapse"] as const).flatMap((use) =>
        (listenAddresses[use] ?? []).map((address, index) => ({
            address,
            key: `listenAddresses.${use}[${index}]`,
        })),
    );
    return published.flatMap(({ address, key }) =>
        isIP(address) === 4 || address === "::1"
            ? []
            : {
                  key,
                  got: JSON.stringify(address),
                  wanted: "an IPv4 address: without synapse:ipv6 all IPv6 clients have one address, and a few failed logins of one lock everybody out",
                  fix: "pulumi config set ipv6 true, with Docker 27 or newer; or publish IPv4 alone",
              },
    );
}
