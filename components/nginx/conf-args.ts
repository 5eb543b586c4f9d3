import type { WellKnownArgs } from "./well-known.ts";

/** What nginx.conf is rendered from. */
export interface NginxConfArgs {
    /** Host name that clients connect to. */
    readonly publicHost: string;
    /** Port that clients connect to; undefined where Docker picks it. */
    readonly httpsPort: number | undefined;
    /** Port on the Docker host for other servers; undefined where Docker picks it. */
    readonly federationPort: number | undefined;
    /** Where other servers are served: on a port of their own, on that of the clients, or nowhere. */
    readonly federation: "apart" | "with clients" | "off";
    /** Whether clients come by IPv6, too. */
    readonly ipv6: boolean;
    /** What is added to the documents below /.well-known/matrix. */
    readonly wellKnown: WellKnownArgs;
    /** nginx's notation, the same as Synapse's: `50M`. */
    readonly maxUploadSize: string;
    /** Mozilla's TLS profile. */
    readonly profile: "intermediate" | "modern";
    /** Whether browsers are told to use HTTPS alone for this host, for two years. */
    readonly hsts: boolean;
    /** Whether to speak HTTP/3 beside HTTP/1.1 and 2. */
    readonly http3: boolean;
    /**
     * Whose X-Forwarded-For is believed, where proxies of the operator's speak TLS and pass plain HTTP on to
     * `listen.http`. Undefined: nginx speaks TLS; otherwise `profile`, `hsts` and `http3` say nothing.
     */
    readonly trustedProxies?: TrustedProxies | undefined;
    /** Whether a CA fetches certbot's answers to its challenges here. */
    readonly acmeChallenges: boolean;
    /** Seconds that a request waits for Synapse while that is away; 0 answers 502 at once. */
    readonly holdSeconds: number;
    /** MiB that nginx may have. */
    readonly memory: number;
    /** Text of the script that holds them; part of the digest. */
    readonly holdScript: string;
    /** Where Synapse is on the network: `host:port`. */
    readonly upstream: string;
    /** Ports inside the container to listen on, for each use. */
    readonly listen: {
        readonly http: readonly number[];
        readonly https: readonly number[];
        readonly federation: readonly number[];
    };
}

/** Proxies before nginx. */
export interface TrustedProxies {
    /** Addresses and networks, `10.0.0.0/8`. */
    readonly addresses: readonly string[];
    /** Whether that is also whatever connects from the Docker host itself. */
    readonly host: boolean;
}
