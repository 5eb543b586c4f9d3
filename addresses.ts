import { isIP } from "node:net";
import type { CertificateSource } from "./components/certificates/certificates.ts";
import type { TrustedProxies } from "./components/nginx/conf.ts";
import type {
    Appearance,
    Expectations,
    Listener,
    OutsideExpectations,
    Service,
} from "./components/verification/expectations.ts";
import { authority, isAddress, isLoopback, isPublicName } from "./hosts.ts";
import { federationPlace } from "./settings/federation.ts";
import { front } from "./settings/front.ts";
import type { Settings } from "./settings/settings.ts";
import { DIRECTORIES } from "./settings/tls/acme.ts";
import { DOCKER_HOST_ITSELF, publicUrlParts } from "./settings/tls/proxy.ts";

/** What follows from the settings about names, ports and who speaks TLS: plain functions of plain values. */

type TlsSettings = Pick<Settings, "publicHost" | "tls">;

/** The operator's own proxy: its port for the world, and whose word about clients' addresses is believed. */
export interface OuterProxy {
    readonly port: number;
    readonly trusted: TrustedProxies;
}

/** The proxy of the operator's that stands before nginx; undefined where nginx itself, or nobody, speaks TLS. */
export function outerProxy({ tls }: Pick<Settings, "tls">): OuterProxy | undefined {
    if (tls.mode !== "proxy") return undefined;
    const { port = 443 } = publicUrlParts(tls.publicUrl) ?? {};
    const trusted = tls.trustedProxies ?? [DOCKER_HOST_ITSELF];
    return {
        port,
        trusted: {
            addresses: trusted.filter((proxy) => proxy !== DOCKER_HOST_ITSELF),
            host: trusted.includes(DOCKER_HOST_ITSELF),
        },
    };
}

/** Where the certificate comes from; undefined where this stack speaks no TLS. */
export function certificateSource({ publicHost, tls }: TlsSettings): CertificateSource | undefined {
    if (tls.mode === "none" || tls.mode === "proxy") return undefined;
    if (tls.mode === "local-ca") return { mode: "local-ca" };
    if (tls.mode === "acme") return tls;
    // certbot's own layout.
    const live = `live/${publicHost}`;
    return {
        mode: "host",
        directory: tls.directory,
        certificate: tls.certificate ?? `${live}/fullchain.pem`,
        privateKey: tls.privateKey ?? `${live}/privkey.pem`,
    };
}

/** Whether the certificate must be from a CA that machines trust: only that of Let's Encrypt's staging server never is. */
export function isTrusted(settings: TlsSettings): boolean {
    const source = certificateSource(settings);
    return source?.mode !== "acme" || source.server !== DIRECTORIES.staging;
}

/** Base URL of the client API, without a slash at the end. */
export function clientBaseUrl(
    settings: Pick<Settings, "publicHost" | "tls">,
    port: number | undefined,
): string {
    switch (front(settings)) {
        case "none":
            return `http://${settings.publicHost}:${port ?? 8008}`;
        case "tls":
            return `https://${settings.publicHost}:${port ?? 8448}`;
        case "proxy":
            return `https://${settings.publicHost}${port === undefined || port === 443 ? "" : `:${port}`}`;
    }
}

/** The port of the settings that clients connect to; undefined where Docker picks it. */
export function clientPort({
    ports,
    tls,
}: { readonly ports: PublishedPorts | Settings["ports"] } & Pick<Settings, "tls">): number | undefined {
    // A setting alone can be `off`, and not in that mode.
    const synapse = ports.synapse === "off" ? undefined : ports.synapse;
    const https = outerProxy({ tls })?.port ?? ports.https;
    return { none: synapse, tls: ports.federation, proxy: https }[front({ tls })];
}

/** What `m.server` says, with the port for clients as it is published; undefined without federation. */
export function federationAddress(
    settings: Pick<Settings, "federation" | "ports" | "publicHost" | "tls">,
    publishedClientPort: number | undefined,
): string | undefined {
    const { ports, publicHost } = settings;
    switch (federationPlace(settings)) {
        case "off":
            return undefined;
        case "apart":
            return `${publicHost}:${ports.federation ?? 8448}`;
        case "with clients":
            return `${publicHost}:${publishedClientPort ?? clientPort(settings) ?? 443}`;
    }
}

/** Whether the world can come by IPv6. */
function publishesIpv6({ listenAddresses }: Pick<Settings, "listenAddresses">): boolean {
    return listenAddresses.public.some((address) => isIP(address) === 6 && !isLoopback(address));
}

/** The DNS records that should exist, and the delegation that another `publicHost` needs. */
export function dnsRecords({
    serverName,
    publicHost,
    listenAddresses,
    tls,
}: Pick<Settings, "serverName" | "publicHost" | "listenAddresses" | "tls">): string[] {
    if (isAddress(publicHost) || publicHost === "localhost") return [];
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

/** The ports that Docker published. */
export type PublishedPorts = Partial<Record<keyof Settings["ports"], number | undefined>>;

/** What the verification expects of a running server. */
export function expectations(
    settings: Settings,
    published: PublishedPorts,
    verifyKey: string,
    caCertificate: string | undefined,
): Expectations {
    const own = appearance(settings, published);
    return {
        ...own,
        authorities: [...own.authorities, ...(caCertificate === undefined ? [] : [caCertificate])],
        listeners: listeners(settings, published),
        verifyKey,
        container: settings.name,
        logsRequests: settings.logLevel === "INFO" || settings.logLevel === "DEBUG",
        believesHost: outerProxy(settings)?.trusted.host,
    };
}

/** What the internet is to do for a server; undefined for one that is not on it, as far as the settings say. */
export function outside(settings: Settings): Omit<OutsideExpectations, "verifyKey"> | undefined {
    const { listenAddresses, ports, publicHost, serverName } = settings;
    const client = clientPort(settings);
    const place = federationPlace(settings);
    const [address = ""] = listenAddresses.public;
    const behind = outerProxy(settings) && authority(address, ports.http ?? "<publishedPorts.http>");
    const isOnTheInternet =
        front(settings) !== "none" &&
        (behind !== undefined || !listenAddresses.public.every(isLoopback)) &&
        (isPublicName(publicHost) || isPublicName(serverName));
    // Ports that Docker picks, and picks anew, are not what others are told.
    if (!isOnTheInternet || client === undefined) return undefined;
    if (place === "apart" && ports.federation === undefined) return undefined;
    return {
        ...appearance(settings, ports),
        clientPort: client,
        federationPort: { apart: ports.federation, "with clients": client, off: undefined }[place],
        publishesIpv6: behind !== undefined || publishesIpv6(settings),
        behind,
    };
}

function appearance(settings: Settings, published: PublishedPorts | Settings["ports"]): Appearance {
    const { publicHost, serverName, tls, wellKnown } = settings;
    const caBundle = "caBundle" in tls ? tls.caBundle : undefined;
    const port = clientPort({ ports: { ...settings.ports, ...published }, tls });
    return {
        serverName,
        publicHost,
        clientUrl: clientBaseUrl(settings, port),
        federationAddress: federationAddress(settings, port),
        wellKnown,
        proxied: front(settings) === "proxy",
        trusted: isTrusted(settings),
        authorities: caBundle === undefined ? [] : [caBundle],
    };
}

/** The ports that a stack publishes, and what is served there; `published` says what Docker gave. */
export function listeners(
    settings: Pick<Settings, "federation" | "listenAddresses" | "ports" | "tls">,
    published: PublishedPorts,
): Listener[] {
    const { listenAddresses, ports } = settings;
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
    const place = federationPlace(settings);
    const served: Service[] = place === "with clients" ? ["clients", "federation"] : ["clients"];
    switch (front(settings)) {
        case "none":
            return [{ ...operator, serves: served }];
        case "tls":
            return [listener("federation", true, ...served), ...operators];
        case "proxy":
            if (settings.tls.mode === "proxy") return [listener("http", false, ...served), ...operators];
            return [
                listener("https", true, ...served),
                ...(place === "apart" ? [listener("federation", true, "federation")] : []),
                listener("http", false, "redirect"),
                ...operators,
            ];
    }
}
