import * as http from "node:http";
import * as https from "node:https";
import { inspect } from "node:util";

/** One request to a port of this machine. */
export interface Request {
    readonly port: number;
    readonly path: string;
    readonly method?: string;
    /** Name for SNI and the Host header. */
    readonly host?: string;
    readonly headers?: http.OutgoingHttpHeaders;
    readonly body?: Buffer | string;
    /** CA to trust, PEM; plain HTTP when undefined. */
    readonly ca?: string | undefined;
    readonly options?: https.RequestOptions;
    /** @default "127.0.0.1" */
    readonly address?: string;
}

export interface Response {
    readonly status: number;
    readonly headers: http.IncomingHttpHeaders;
    readonly body: string;
}

/** Asks once; rejects when no answer comes within 20 seconds. */
export function ask(request: Request): Promise<Response> {
    const {
        port,
        path,
        method = "GET",
        host = "localhost",
        headers = {},
        body,
        ca,
        address = "127.0.0.1",
    } = request;
    const tls = ca === undefined ? {} : { ca, servername: host };
    const options = {
        host: address,
        port,
        path,
        method,
        headers: { host, ...headers },
        agent: false,
        timeout: 20_000,
    };
    return new Promise((resolve, reject) => {
        const sent = (ca === undefined ? http : https).request(
            { ...options, ...tls, ...request.options },
            (response) => {
                const chunks: Buffer[] = [];
                response.on("data", (chunk: Buffer) => chunks.push(chunk));
                response.on("error", reject);
                response.on("end", () =>
                    resolve({
                        status: response.statusCode ?? 0,
                        headers: response.headers,
                        body: Buffer.concat(chunks).toString(),
                    }),
                );
            },
        );
        sent.on("timeout", () => sent.destroy(new Error(`no answer to ${method} ${path} within 20 s`)));
        sent.on("error", reject);
        sent.end(body);
    });
}

/**
 * Asks until `holds`, and returns what then came back. Fails when that is not so within so many seconds, with what
 * came back last.
 */
export async function eventually<T>(
    seconds: number,
    attempt: () => Promise<T>,
    holds: (value: T) => boolean,
): Promise<T> {
    const deadline = Date.now() + seconds * 1000;
    let last = "no answer at all";
    while (Date.now() < deadline) {
        const outcome = await within(deadline - Date.now(), attempt());
        if (outcome === undefined) break;
        if ("value" in outcome && holds(outcome.value)) return outcome.value;
        last = "value" in outcome ? inspect(outcome.value) : String(outcome.error);
        await new Promise((resolve) => setTimeout(resolve, 250));
    }
    throw new Error(`not within ${seconds} s; last: ${shortened(last)}`);
}

/** How an attempt ended; undefined when it has not by then. */
async function within<T>(
    milliseconds: number,
    attempt: Promise<T>,
): Promise<{ value: T } | { error: unknown } | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const outcome = attempt.then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
    );
    const late = new Promise<undefined>((resolve) => {
        timer = setTimeout(() => resolve(undefined), milliseconds);
    });
    return Promise.race([outcome, late]).finally(() => clearTimeout(timer));
}

/** Of a container's log the end tells, and of an answer the beginning. */
function shortened(text: string): string {
    return text.length <= 1600 ? text : `${text.slice(0, 800)} […] ${text.slice(-800)}`;
}
