import { isLocalName } from "../../hosts.ts";
import { type FederationPlace, federationPlace } from "../../settings/federation.ts";
import { type Front, front } from "../../settings/front.ts";
import { type UsedImages, usedImages } from "../../settings/images.ts";
import type { Settings } from "../../settings/settings.ts";
import { DIRECTORIES } from "../../settings/tls/acme.ts";
import { DOCKER_HOST_ITSELF, publicUrlParts } from "../../settings/tls/proxy.ts";
import type { CertificateSource } from "../certificates/source.ts";
import type { TrustedProxies } from "../nginx/conf-args.ts";

/** Who stands where in one server, as it follows from its settings: what all of its parts are made by. */
export interface Topology {
    /** Who stands before Synapse. */
    readonly front: Front;
    /** References of the images that run; those that are undefined do not. */
    readonly images: UsedImages;
    /** Where the certificate comes from; undefined where this server speaks no TLS. */
    readonly certificate: CertificateSource | undefined;
    /** What a private CA certifies, with the name that clients connect to first. */
    readonly certificateNames: readonly [string, ...string[]];
    /** Whether the certificate must be from a CA that machines trust, or one of the settings'. */
    readonly trusted: boolean;
    /** Whether browsers may be told to insist on TLS: a private CA's word would lock other things on that name out. */
    readonly hsts: boolean;
    /** The operator's own proxy before nginx; undefined where nginx itself, or nobody, speaks TLS. */
    readonly outerProxy: OuterProxy | undefined;
    /** Where other servers are served: on a port of their own, on that of the clients, or nowhere. */
    readonly federation: FederationPlace;
    /** Whether Synapse announces its restarts: nobody looks at that unless nginx holds requests. */
    readonly announces: boolean;
}

/** The operator's own proxy: its port for the world, and whose word about clients' addresses is believed. */
export interface OuterProxy {
    readonly port: number;
    readonly trusted: TrustedProxies;
}

/** What follows from the settings. */
export function topology(settings: Settings): Topology {
    const { tls } = settings;
    const certificate = certificateSource(settings);
    return {
        front: front(settings),
        images: usedImages(settings),
        certificate,
        certificateNames: certificateNames(settings),
        // That of Let's Encrypt's staging server never is.
        trusted: certificate?.mode !== "acme" || certificate.server !== DIRECTORIES.staging,
        hsts: tls.mode === "files" || tls.mode === "acme",
        outerProxy: outerProxy(settings),
        federation: federationPlace(settings),
        announces: settings.holdSeconds > 0,
    };
}

function certificateSource({ publicHost, tls }: Settings): CertificateSource | undefined {
    switch (tls.mode) {
        case "none":
        case "proxy":
            return undefined;
        case "acme":
        case "local-ca":
            return tls;
        case "files":
        case "synapse":
            return {
                mode: "host",
                directory: tls.directory,
                // certbot's own layout.
                certificate: tls.certificate ?? `live/${publicHost}/fullchain.pem`,
                privateKey: tls.privateKey ?? `live/${publicHost}/privkey.pem`,
            };
    }
}

function certificateNames({ publicHost, serverName }: Settings): readonly [string, ...string[]] {
    return [publicHost, serverName, ...(isLocalName(publicHost) ? LOOPBACK_ADDRESSES : [])];
}

/** People type them as well as the name. */
const LOOPBACK_ADDRESSES = ["127.0.0.1", "[::1]"];

function outerProxy({ tls }: Settings): OuterProxy | undefined {
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
