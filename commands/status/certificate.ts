import { isIP } from "node:net";
import { connect } from "node:tls";
import { withoutBrackets } from "../../hosts.ts";

/** The certificate that clients are shown; or why it could not be asked for. */
export type CertificateStatus =
    | {
          /** ISO 8601. */
          readonly expires: string;
          /** Whole days until then; below zero once it has passed. */
          readonly days: number;
      }
    | { readonly unknown: string };

const PATIENCE_MS = 5000;

/** Asks who answers at an https URL for its certificate; null for another URL. */
export function servedCertificate(url: string): Promise<CertificateStatus | null> {
    const { protocol, hostname, port } = new URL(url);
    if (protocol !== "https:") return Promise.resolve(null);
    const host = withoutBrackets(hostname);
    return new Promise((resolve) => {
        const socket = connect({
            host,
            port: Number(port || 443),
            ...(isIP(host) === 0 ? { servername: host } : {}),
            // Only its date is read.
            rejectUnauthorized: false,
            timeout: PATIENCE_MS,
        });
        const end = (status: CertificateStatus) => {
            socket.destroy();
            resolve(status);
        };
        socket.on("secureConnect", () => end(statusOf(socket.getPeerCertificate().valid_to, new Date())));
        socket.on("timeout", () => end({ unknown: `${url} did not answer within ${PATIENCE_MS / 1000} s` }));
        socket.on("error", (error: Error) => end({ unknown: `${url} did not answer: ${error.message}` }));
    });
}

export function statusOf(validTo: string, now: Date): CertificateStatus {
    const expires = new Date(validTo);
    if (Number.isNaN(expires.getTime())) return { unknown: `it ends at ${JSON.stringify(validTo)}` };
    const days = Math.floor((expires.getTime() - now.getTime()) / 86_400_000);
    return { expires: expires.toISOString(), days };
}
