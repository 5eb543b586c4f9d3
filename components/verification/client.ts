import * as http from "node:http";
import * as https from "node:https";
import { isIP } from "node:net";
import { type ConnectionOptions, checkServerIdentity, type TLSSocket } from "node:tls";
import type { Trust } from "./trust.ts";

/** One GET, to an address that is known. */
export interface Request {
    readonly address: string;
    readonly port: number;
    /** Name or address that the certificate must be for; plain HTTP when undefined. */
    readonly tlsName?: string | undefined;
    /** Host header. */
    readonly host: string;
    readonly path: string;
    readonly headers?: http.OutgoingHttpHeaders;
    readonly trust: Trust;
    readonly signal: AbortSignal;
}

export interface Answer {
    readonly status: number;
    readonly headers: http.IncomingHttpHeaders;
    readonly body: string;
    /** End of the certificate's validity, with TLS. */
    readonly certificateEnd?: Date;
}

/** Nothing that is asked for is larger; another's server may answer anything. */
const LARGEST_BODY = 256 * 1024;

/** Asks once, on a connection of its own. Rejects without an answer, and when the certificate does not hold. */
export function get(request: Request): Promise<Answer> {
    const { address, port, tlsName, host, path, headers = {}, trust, signal } = request;
    const common = { host: address, port, path, headers: { Host: host, ...headers }, agent: false, signal };
    return new Promise((resolve, reject) => {
        const fail = (error: Error) => reject(new Error(reasonOf(error), { cause: error }));
        const answered = (response: http.IncomingMessage) => {
            let end: Date | undefined;
            try {
                if (tlsName !== undefined) end = certificateEnd(response.socket as TLSSocket, tlsName);
            } catch (error) {
                response.destroy();
                fail(error as Error);
                return;
            }
            const chunks: Buffer[] = [];
            let size = 0;
            response.on("data", (chunk: Buffer) => {
                size += chunk.length;
                if (size > LARGEST_BODY) response.destroy(new Error("an answer of more than 256 KiB"));
                else chunks.push(chunk);
            });
            response.on("error", fail);
            response.on("end", () =>
                resolve({
                    status: response.statusCode ?? 0,
                    headers: response.headers,
                    body: Buffer.concat(chunks).toString(),
                    ...(end && { certificateEnd: end }),
                }),
            );
        };
        const sent =
            tlsName === undefined
                ? http.get(common, answered)
                : https.get({ ...common, ...tlsOptions(tlsName, trust) }, answered);
        sent.on("error", fail);
    });
}

function tlsOptions(name: string, trust: Trust): ConnectionOptions {
    return {
        // An address is no SNI.
        servername: isIP(name) === 0 ? name : "",
        secureContext: trust.context,
        rejectUnauthorized: trust.required,
        // Node would check the address that is connected to, where no name is sent.
        checkServerIdentity: (_connected, certificate) => checkServerIdentity(name, certificate),
    };
}

/** Checks names and dates, which Node leaves unchecked where nobody needs to trust the issuer. */
function certificateEnd(socket: TLSSocket, name: string): Date {
    const certificate = socket.getPeerCertificate();
    const wrongName = checkServerIdentity(name, certificate);
    if (wrongName) throw wrongName;
    const [begin, end] = [new Date(certificate.valid_from), new Date(certificate.valid_to)];
    if (begin.getTime() > Date.now())
        throw new Error(`its certificate is valid from ${begin.toISOString()} alone`);
    if (end.getTime() < Date.now()) throw new Error(`its certificate ended on ${end.toISOString()}`);
    return end;
}

function reasonOf(error: Error): string {
    if (error.name === "AbortError" || error.name === "TimeoutError") return "no answer in time";
    return error.message;
}
