/** What is served on a published port. `operator`: Synapse's own port, beside a proxy. */
export type Service = "clients" | "federation" | "redirect" | "operator";

/** A published port. */
export interface Listener {
    readonly serves: readonly Service[];
    /** 0 while its container does not run. */
    readonly port: number;
    /** Addresses of the Docker host, as in the settings: `0.0.0.0` and `::` stand for all. */
    readonly addresses: readonly string[];
    readonly tls: boolean;
}

/** The server as the world is to see it. */
export interface Appearance {
    readonly serverName: string;
    /** Name that clients and other servers connect to: Host header, and SNI with TLS. */
    readonly publicHost: string;
    /** What .well-known tells clients. */
    readonly clientUrl: string;
    /** What .well-known tells other servers: `host:port`. Undefined: it is closed to them. */
    readonly federationAddress: string | undefined;
    /** What else .well-known says, with nginx. */
    readonly wellKnown: {
        readonly client: Readonly<Record<string, unknown>>;
        readonly server: Readonly<Record<string, unknown>>;
        readonly support?: Readonly<Record<string, unknown>> | undefined;
    };
    /** Whether nginx stands before Synapse, keeps the admin API closed and serves .well-known. */
    readonly proxied: boolean;
    /** Whether certificates must be from a CA that this machine trusts; otherwise names and dates alone count. */
    readonly trusted: boolean;
    /** CAs to trust beside those that this machine trusts, PEM. */
    readonly authorities: readonly string[];
}

/** What a working server answers, and where it is asked. */
export interface Expectations extends Appearance {
    readonly listeners: readonly Listener[];
    /** As the generation run recorded it: `ed25519:a_AbCd <base64>`. */
    readonly verifyKey: string;
    /** Container that logs each request with the address that it believes. */
    readonly container: string;
    /** Whether that log is written at all: level INFO or DEBUG. */
    readonly logsRequests: boolean;
    /**
     * Whether X-Forwarded-For is believed of the Docker host itself, where the operator's proxy is. Undefined: there is
     * no such proxy, and it is believed of nobody.
     */
    readonly believesHost?: boolean | undefined;
}

/** What only the outside can mend, and how it is looked at. */
export interface OutsideExpectations extends Appearance {
    readonly clientPort: number;
    /** Undefined: it is closed to other servers. */
    readonly federationPort: number | undefined;
    readonly publishesIpv6: boolean;
    /** Where the operator's proxy passes requests on to, `127.0.0.1:8080`; undefined without one. */
    readonly behind?: string | undefined;
    /** As in {@link Expectations}; undefined while the server does not run, as in a preview: it is not asked then. */
    readonly verifyKey?: string | undefined;
}
