import { isIP } from "node:net";
import { isLocalName, isLoopback, withoutBrackets } from "../../hosts.ts";
import type { Settings } from "../../settings/settings.ts";

/** Whether the world can come by IPv6. */
export function publishesIpv6({ listenAddresses }: Pick<Settings, "listenAddresses">): boolean {
    return listenAddresses.public.some((address) => isIP(address) === 6 && !isLoopback(address));
}

/** The DNS records that should exist, and the delegation that another `publicHost` needs. */
export function dnsRecords({
    serverName,
    publicHost,
    listenAddresses,
    tls,
}: Pick<Settings, "serverName" | "publicHost" | "listenAddresses" | "tls">): string[] {
    // Every machine knows the names below localhost, and the DNS none.
    if (isIP(withoutBrackets(publicHost)) !== 0 || isLocalName(publicHost)) return [];
    const records =
        tls.mode === "proxy"
            ? [`${publicHost}. A, AAAA or CNAME, as your proxy is reached`]
            : [
                  `${publicHost}. A <IPv4 address of the Docker host>`,
                  // One without a published port would send clients nowhere.
                  ...(publishesIpv6({ listenAddresses })
                      ? [`${publicHost}. AAAA <IPv6 address of the Docker host>`]
                      : []),
              ];
    if (serverName === publicHost) return records;
    return [
        ...records,
        `${serverName}. as ${publicHost}., or a web server of its own that serves /.well-known/matrix/server and /.well-known/matrix/client as https://${publicHost} does`,
    ];
}
