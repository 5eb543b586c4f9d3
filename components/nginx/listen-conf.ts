import type { NginxConfArgs } from "./conf-args.ts";

/** Ports for plain HTTP. */
export function listenPlainly({ ipv6, listen: { http } }: NginxConfArgs): string {
    return listen(ipv6, http, "default_server");
}

/** Ports for TLS, of clients and of other servers. */
export function listenWithTls({ http3, ipv6, listen: { https, federation } }: NginxConfArgs): string {
    return `${listen(ipv6, [...https, ...federation], "ssl default_server")}
${http3 ? listen(ipv6, https, "quic reuseport default_server") : ""}
http2 on;`;
}

function listen(ipv6: boolean, ports: readonly number[], options: string): string {
    // In a container without IPv6, nginx could not start with such an address.
    const addresses = ports.flatMap((port) => (ipv6 ? [`${port}`, `[::]:${port}`] : [`${port}`]));
    return addresses.map((address) => `listen ${address} ${options};`).join("\n");
}
