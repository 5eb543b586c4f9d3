import { createServer as createPlain, type RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import type { Pair } from "./test-ca.ts";

/** Answers of a {@link FakeServer} by path: a body, or a status. */
export type Answers = Readonly<Record<string, string | number>>;

/** A web server on this machine; over TLS if it has a certificate. */
export class FakeServer {
    /** What it is asked from now on. */
    answers: Answers;
    /** Every request so far: `Host path`. */
    readonly asked: string[] = [];
    /** Every name that was sent with TLS. */
    readonly names: unknown[] = [];
    readonly #server: Server;

    private constructor(answers: Answers, pair: Pair | undefined) {
        this.answers = answers;
        const listener: RequestListener = (request, response) => {
            const { url = "", headers } = request;
            this.asked.push(`${headers.host} ${url}`);
            const answer = this.answers[url] ?? 404;
            if (typeof answer === "number") {
                const location = answer === 301 ? { location: "https://elsewhere/" } : {};
                response.writeHead(answer, location).end("{}");
            } else response.writeHead(200, { "access-control-allow-origin": "*" }).end(answer);
        };
        this.#server = pair === undefined ? createPlain(listener) : createServer(pair, listener);
        this.#server.on("secureConnection", (socket: { servername: unknown }) =>
            this.names.push(socket.servername),
        );
    }

    static async start(answers: Answers, { pair, address = "127.0.0.1", port = 0 }: FakeServerArgs = {}) {
        const server = new FakeServer(answers, pair);
        await new Promise<void>((resolve, reject) => {
            server.#server.on("error", reject).listen(port, address, resolve);
        });
        return server;
    }

    get port(): number {
        return (this.#server.address() as AddressInfo).port;
    }

    stop(): Promise<unknown> {
        return new Promise((resolve) => this.#server.close(resolve));
    }
}

interface FakeServerArgs {
    readonly pair?: Pair;
    /** @default "127.0.0.1" */
    readonly address?: string;
    /** Any when left out. */
    readonly port?: number;
}

const KEY_ID = "ed25519:a_Test";
const KEY = "Noi6WqcDj0QmPxCNQqgezwTlBKrfqehY1u2FyWP9uYw";
/** The recorded key of a server that answers with {@link keyDocument}. */
export const VERIFY_KEY = `${KEY_ID} ${KEY}`;

/** What a server says about its key. */
export function keyDocument(serverName: string, key = KEY): string {
    return JSON.stringify({ server_name: serverName, verify_keys: { [KEY_ID]: { key } } });
}
