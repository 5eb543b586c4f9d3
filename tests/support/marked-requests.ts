import { randomBytes } from "node:crypto";
import { connect } from "node:http2";
import { docker } from "./homeserver.ts";
import { ask, type Request, type Response } from "./http.ts";
import type { Delivery, ProxyAlone } from "./proxy-alone.ts";

/** What {@link MarkedRequests.sendHttp3} sends. */
export const FOR_HTTP3 = Buffer.alloc(1024 * 1024, "y\n");

/** Requests through a {@link ProxyAlone}, whose deliveries can be told from those of others. */
export class MarkedRequests {
    readonly #proxy: ProxyAlone;
    readonly #mark = randomBytes(4).toString("hex");

    constructor(proxy: ProxyAlone) {
        this.#proxy = proxy;
    }

    send(method: string, path: string, more: Partial<Request> = {}): Promise<Response> {
        return ask({
            port: this.#proxy.port,
            ca: this.#proxy.ca,
            method,
            path: `${path}${path.includes("?") ? "&" : "?"}mark=${this.#mark}`,
            options: { timeout: 60_000 },
            ...more,
        });
    }

    /** The same over HTTP/2. */
    sendHttp2(method: string, path: string, body: Buffer): Promise<{ status: number; body: string }> {
        return new Promise((resolve, reject) => {
            const { ca, port } = this.#proxy;
            const session = connect(`https://127.0.0.1:${port}`, { ca, servername: "localhost" });
            session.on("error", reject);
            const stream = session.request({ ":method": method, ":path": `${path}?mark=${this.#mark}` });
            let status = 0;
            let answer = "";
            stream.on("response", (headers) => (status = Number(headers[":status"])));
            stream.on("data", (chunk) => (answer += String(chunk)));
            stream.on("error", reject);
            stream.on("end", () => {
                session.close();
                resolve({ status, body: answer });
            });
            stream.end(body);
        });
    }

    /** A POST of {@link FOR_HTTP3} over HTTP/3, by curl beside nginx, since Node has none. Its answer comes as `status body`. */
    sendHttp3(path: string): Promise<string> {
        const options =
            "--silent --http3-only --insecure --max-time 60 --write-out '%{http_code} ' --output /run/answer";
        const asked = `curl ${options} --data-binary @- 'https://127.0.0.1${path}?mark=${this.#mark}'`;
        return docker(
            "exec",
            this.#proxy.nginx,
            "sh",
            "-c",
            `yes | head -c ${FOR_HTTP3.length} | ${asked}; cat /run/answer`,
        );
    }

    /** What of them reached the fake server. */
    deliveries(): Promise<Delivery[]> {
        return this.#proxy.deliveries(this.#mark);
    }

    /** As {@link deliveries}: `METHOD path`. */
    async delivered(): Promise<string[]> {
        return (await this.deliveries()).map(({ method, path }) => `${method} ${path.split("?")[0]}`);
    }
}
