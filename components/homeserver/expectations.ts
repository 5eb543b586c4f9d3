import { authority, isLoopback, isPublicName } from "../../hosts.ts";
import type { Settings } from "../../settings/settings.ts";
import type {
    Appearance,
    Expectations,
    Listener,
    OutsideExpectations,
    Service,
} from "../verification/expectations.ts";
import { publishesIpv6 } from "./dns.ts";
import { clientBaseUrl, clientPort, federationAddress, type PublishedPorts } from "./places.ts";
import type { Topology } from "./topology.ts";

/** What the verification expects of a running server. */
export function expectations(
    topology: Topology,
    settings: Settings,
    published: PublishedPorts,
    verifyKey: string,
    caCertificate: string | undefined,
): Expectations {
    const own = appearance(topology, settings, published);
    return {
        ...own,
        authorities: [...own.authorities, ...(caCertificate === undefined ? [] : [caCertificate])],
        listeners: listeners(topology, settings, published),
        verifyKey,
        container: settings.name,
        logsRequests: settings.logLevel === "INFO" || settings.logLevel === "DEBUG",
        believesHost: topology.outerProxy?.trusted.host,
    };
}

/** What the internet is to do for a server; undefined for one that is not on it, as far as the settings say. */
export function outside(
    topology: Topology,
    settings: Settings,
): Omit<OutsideExpectations, "verifyKey"> | undefined {
    const { listenAddresses, ports, publicHost, serverName } = settings;
    const client = clientPort(topology, ports);
    const [address = ""] = listenAddresses.public;
    const behind = topology.outerProxy && authority(address, ports.http ?? "<publishedPorts.http>");
    const isOnTheInternet =
        topology.front !== "none" &&
        (behind !== undefined || !listenAddresses.public.every(isLoopback)) &&
        (isPublicName(publicHost) || isPublicName(serverName));
    // Ports that Docker picks, and picks anew, are not what others are told.
    if (!isOnTheInternet || client === undefined) return undefined;
    if (topology.federation === "apart" && ports.federation === undefined) return undefined;
    return {
        ...appearance(topology, settings, ports),
        clientPort: client,
        federationPort: { apart: ports.federation, "with clients": client, off: undefined }[
            topology.federation
        ],
        publishesIpv6: behind !== undefined || publishesIpv6(settings),
        behind,
    };
}

function appearance(
    topology: Topology,
    settings: Settings,
    published: PublishedPorts | Settings["ports"],
): Appearance {
    const { publicHost, serverName, tls, wellKnown } = settings;
    const caBundle = "caBundle" in tls ? tls.caBundle : undefined;
    const port = clientPort(topology, { ...settings.ports, ...published });
    return {
        serverName,
        publicHost,
        clientUrl: clientBaseUrl(topology, settings, port),
        federationAddress: federationAddress(topology, settings, port),
        wellKnown,
        proxied: topology.front === "proxy",
        trusted: topology.trusted,
        authorities: caBundle === undefined ? [] : [caBundle],
    };
}

/** The ports that a server publishes, and what is served there; `published` says what Docker gave. */
export function listeners(
    { federation, front, outerProxy }: Topology,
    { listenAddresses, ports }: Pick<Settings, "listenAddresses" | "ports">,
    published: PublishedPorts,
): Listener[] {
    const listener = (use: keyof Settings["ports"], tls: boolean, ...serves: Service[]): Listener => {
        const addresses = use === "synapse" ? listenAddresses.synapse : listenAddresses.public;
        return {
            serves,
            port: published[use] ?? 0,
            // Docker picks a port for the first address alone.
            addresses: ports[use] === undefined ? addresses.slice(0, 1) : addresses,
            tls,
        };
    };
    const operator = listener("synapse", false, "operator");
    const operators = ports.synapse === "off" ? [] : [operator];
    const served: Service[] = federation === "with clients" ? ["clients", "federation"] : ["clients"];
    switch (front) {
        case "none":
            return [{ ...operator, serves: served }];
        case "tls":
            return [listener("federation", true, ...served), ...operators];
        case "proxy":
            if (outerProxy !== undefined) return [listener("http", false, ...served), ...operators];
            return [
                listener("https", true, ...served),
                ...(federation === "apart" ? [listener("federation", true, "federation")] : []),
                listener("http", false, "redirect"),
                ...operators,
            ];
    }
}
