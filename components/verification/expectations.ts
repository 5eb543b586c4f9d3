/** What a working server answers, and where it is asked. */
export interface Expectations {
    readonly serverName: string;
    /** Name that clients connect to: Host header, and SNI with TLS. */
    readonly publicHost: string;
    /** As the generation run recorded it: `ed25519:a_AbCd <base64>`. */
    readonly verifyKey: string;
    /** Addresses of the Docker host that the asked ports are published on. */
    readonly addresses: readonly string[];
    readonly tls: boolean;
    /** Port of the client API. */
    readonly clientPort: number;
    /** Port of the federation API. */
    readonly federationPort: number;
    /** Whether nginx stands before Synapse, keeps the admin API closed and serves .well-known. */
    readonly proxied: boolean;
    /** Port that redirects to HTTPS; with a proxy alone. */
    readonly redirectPort?: number | undefined;
    /** Whether the certificate must be from a CA that this machine trusts; otherwise its names and dates alone count. */
    readonly trusted: boolean;
    /** CA to trust beside the system's, PEM. */
    readonly caCertificate?: string | undefined;
    /** Container that logs each request with the address that it believes. */
    readonly container: string;
    /** Whether that log is written at all: level INFO or DEBUG. */
    readonly logsRequests: boolean;
}
