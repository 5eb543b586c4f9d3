import * as http from "node:http";
import * as https from "node:https";

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

/** Asks until `holds`, for at most so many seconds. Returns what came back last. */
export async function eventually<T>(
    seconds: number,
    attempt: () => Promise<T>,
    holds: (value: T) => boolean,
): Promise<T> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
        const outcome = await attempt().then(
            (value) => ({ value }),
            (error: unknown) => ({ error }),
        );
        if ("value" in outcome && holds(outcome.value)) return outcome.value;
        if (Date.now() > deadline) {
            if ("value" in outcome) return outcome.value;
            throw outcome.error;
        }
        await new Promise((resolve) => setTimeout(resolve, 250));
    }
}
