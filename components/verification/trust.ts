import { readFileSync } from "node:fs";
import * as tls from "node:tls";

/** Whom connections believe. */
export interface Trust {
    readonly context: tls.SecureContext;
    /** Otherwise a certificate's names and dates alone count. */
    readonly required: boolean;
}

/** Newer than the oldest Node that runs this program. */
const { getCACertificates } = tls as {
    readonly getCACertificates?: (type: "system" | "extra") => string[];
};

/** Where Linux distributions keep them. */
const SYSTEM_FILES = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

/** Trust in what this machine trusts (Node's own list, the system's, NODE_EXTRA_CA_CERTS) and in some CAs more. */
export function trustIn(authorities: readonly string[], required: boolean): Trust {
    const ca = [...tls.rootCertificates, ...systemAuthorities(), ...extraAuthorities(), ...authorities];
    // Made once: it takes longer than a connection.
    return { context: tls.createSecureContext({ ca }), required };
}

function systemAuthorities(): string[] {
    const { SSL_CERT_FILE } = process.env;
    // OpenSSL's own variable stands for the system's list, as it does for every other program.
    if (SSL_CERT_FILE !== undefined && SSL_CERT_FILE !== "") return readable([SSL_CERT_FILE]);
    return getCACertificates?.("system") ?? readable(SYSTEM_FILES);
}

/** Node itself reads the variable, but forgets it for connections that are given a list. */
function extraAuthorities(): string[] {
    const { NODE_EXTRA_CA_CERTS } = process.env;
    return NODE_EXTRA_CA_CERTS === undefined ? [] : readable([NODE_EXTRA_CA_CERTS]);
}

/** The first of some files that can be read. */
function readable(files: readonly string[]): string[] {
    for (const file of files) {
        try {
            return [readFileSync(file, "utf8")];
        } catch {
            // Another distribution's, or one that is not there: Node passes over it with a warning, too.
        }
    }
    return [];
}
