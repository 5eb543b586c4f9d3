import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { Agent, request } from "node:https";
import type { Target } from "./load.ts";

/** One request of a load. */
export interface Sent {
    readonly kind: string;
    readonly method: string;
    readonly path: string;
    readonly body?: string | Buffer;
}

/** A way for requests to get to a server. */
export interface Protocol {
    readonly name: string;
    /** The status of the answer, once all of it has come. */
    answer: (sent: Sent) => Promise<number>;
    close: () => void;
}

const PATIENCE_MS = 60_000;
const NAME = "localhost";

export class Http1 implements Protocol {
    readonly name = "HTTP/1.1";
    readonly #target: Target;
    readonly #agent: Agent;

    constructor(target: Target) {
        this.#target = target;
        this.#agent = new Agent({ keepAlive: true, ca: target.ca, servername: NAME });
    }

    answer(sent: Sent): Promise<number> {
        return this.#once(sent, true);
    }

    close(): void {
        this.#agent.destroy();
    }

    /**
     * A server may close an idle connection at the very moment in which a client sends on it. Every browser and HTTP
     * library then sends again on a new connection, once; Node leaves it to its caller.
     */
    #once(sent: Sent, mayRepeat: boolean): Promise<number> {
        const { port, token, ca } = this.#target;
        return new Promise((resolve, reject) => {
            const asking = request(
                {
                    host: "127.0.0.1",
                    port,
                    path: sent.path,
                    method: sent.method,
                    headers: { host: NAME, authorization: `Bearer ${token}` },
                    // Without the agent it is a new connection.
                    agent: mayRepeat ? this.#agent : false,
                    timeout: PATIENCE_MS,
                    ca,
                    servername: NAME,
                },
                (response) => {
                    response.resume();
                    response.on("error", reject);
                    response.on("end", () => resolve(response.statusCode ?? 0));
                },
            );
            asking.on("timeout", () => asking.destroy(new Error("no answer within a minute")));
            asking.on("error", (error: NodeJS.ErrnoException) => {
                const wasClosed = asking.reusedSocket && error.code === "ECONNRESET";
                if (wasClosed && mayRepeat) this.#once(sent, false).then(resolve, reject);
                else reject(error);
            });
            asking.end(sent.body);
        });
    }
}

/** As many connections as a few clients have, since a server bounds the requests on each. */
const SESSIONS = 4;

export class Http2 implements Protocol {
    readonly name = "HTTP/2";
    readonly #target: Target;
    readonly #sessions: (ClientHttp2Session | undefined)[] = Array.from({ length: SESSIONS });
    #turn = 0;

    constructor(target: Target) {
        this.#target = target;
    }

    answer(sent: Sent): Promise<number> {
        return this.#once(sent, true);
    }

    close(): void {
        for (const session of this.#sessions) session?.destroy();
    }

    /**
     * A server that says goodbye tells which requests it has not looked at; any client sends those again, on a new
     * connection, and whatever is new as well.
     */
    #once(sent: Sent, mayRepeat: boolean): Promise<number> {
        return new Promise((resolve, reject) => {
            const stream = this.#stream(sent, !mayRepeat);
            let status = 0;
            stream.setTimeout(PATIENCE_MS, () => stream.destroy(new Error("no answer within a minute")));
            stream.on("response", (headers) => (status = Number(headers[constants.HTTP2_HEADER_STATUS])));
            let failure: NodeJS.ErrnoException | undefined;
            stream.on("error", (error: NodeJS.ErrnoException) => (failure = error));
            stream.on("end", () => resolve(status));
            // With an error or, after a goodbye, without.
            stream.on("close", () => {
                const wasRefused =
                    stream.rstCode === constants.NGHTTP2_REFUSED_STREAM ||
                    // It came too late for the connection, and was not even sent.
                    failure?.code === "ERR_HTTP2_GOAWAY_SESSION";
                if (wasRefused && mayRepeat) this.#once(sent, false).then(resolve, reject);
                else reject(failure ?? new Error(`closed with ${stream.rstCode}`));
            });
            stream.resume();
            stream.end(sent.body);
        });
    }

    #stream({ method, path, body }: Sent, onNewSession: boolean): ClientHttp2Stream {
        const { token } = this.#target;
        return this.#session(onNewSession).request(
            {
                [constants.HTTP2_HEADER_METHOD]: method,
                [constants.HTTP2_HEADER_PATH]: path,
                [constants.HTTP2_HEADER_AUTHORITY]: NAME,
                authorization: `Bearer ${token}`,
            },
            { endStream: body === undefined },
        );
    }

    #session(isNew: boolean): ClientHttp2Session {
        this.#turn = (this.#turn + 1) % SESSIONS;
        const turn = this.#turn;
        const known = this.#sessions[turn];
        if (!isNew && known !== undefined && !known.closed && !known.destroyed) return known;
        // It ends with what is under way on it.
        known?.close();
        const { port, ca } = this.#target;
        const session = connect(`https://127.0.0.1:${port}`, { ca, servername: NAME });
        session.setMaxListeners(0);
        // Its requests fail for themselves.
        session.on("error", () => {});
        session.on("goaway", () => {
            if (this.#sessions[turn] === session) this.#sessions[turn] = undefined;
        });
        this.#sessions[turn] = session;
        return session;
    }
}
