import type { Settings } from "../../settings/settings.ts";
import type { Topology } from "./topology.ts";

/** The addresses by which clients and other servers come, from the settings and from what Docker published. */

/** The ports that Docker published; one that is missing is not published. */
export type PublishedPorts = Partial<Record<keyof Settings["ports"], number | undefined>>;

/** The port that clients connect to; undefined where Docker is to pick it. */
export function clientPort(
    { front, outerProxy }: Topology,
    ports: PublishedPorts | Settings["ports"],
): number | undefined {
    // A setting alone can be `off`, and not in that mode.
    const synapse = ports.synapse === "off" ? undefined : ports.synapse;
    const proxy = outerProxy?.port ?? ports.https;
    return { none: synapse, tls: ports.federation, proxy }[front];
}

/** Base URL of the client API, without a slash at the end. */
export function clientBaseUrl(
    { front }: Pick<Topology, "front">,
    { publicHost }: Pick<Settings, "publicHost">,
    port: number | undefined,
): string {
    switch (front) {
        case "none":
            return `http://${publicHost}:${port ?? 8008}`;
        case "tls":
            return `https://${publicHost}:${port ?? 8448}`;
        case "proxy":
            return `https://${publicHost}${port === undefined || port === 443 ? "" : `:${port}`}`;
    }
}

/** What `m.server` says, with the port for clients as it is published; undefined without federation. */
export function federationAddress(
    { federation }: Topology,
    { ports, publicHost }: Settings,
    publishedClientPort: number | undefined,
): string | undefined {
    switch (federation) {
        case "off":
            return undefined;
        case "apart":
            return `${publicHost}:${ports.federation ?? 8448}`;
        case "with clients":
            return `${publicHost}:${publishedClientPort ?? 443}`;
    }
}
