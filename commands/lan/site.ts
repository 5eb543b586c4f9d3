import { createServer } from "node:http";
import { CommandError } from "../failure.ts";
import { type Content, POLICY } from "./page.ts";

/** A web server for one page. */
export interface Site {
    readonly url: string;
    /** Serves these from now on, by path, and nothing else; before, it says that there is nothing yet. */
    readonly show: (contents: Readonly<Record<string, Content>>) => void;
    readonly close: () => Promise<void>;
}

const HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
};

/** Listens at one address alone. */
export async function openSite(address: string, port: number): Promise<Site> {
    const shown = new Map<string, Content>();
    const server = createServer((request, response) => {
        const plain = (status: number, text: string, more = {}) =>
            response
                .writeHead(status, { ...HEADERS, ...more, "Content-Type": "text/plain; charset=utf-8" })
                .end(`${text}\n`);
        if (request.method !== "GET" && request.method !== "HEAD")
            return plain(405, "There is nothing but to read.", { Allow: "GET, HEAD" });
        if (shown.size === 0) return plain(503, "The server is not up yet.", { "Retry-After": "5" });
        const found = shown.get(request.url ?? "");
        if (found === undefined) return plain(404, "There is no such page.");
        return response
            .writeHead(200, {
                ...HEADERS,
                "Content-Type": found.type,
                "Content-Length": Buffer.byteLength(found.body),
            })
            .end(found.body);
    });
    await new Promise<void>((resolve, reject) => {
        server.once("error", (error) =>
            reject(
                new CommandError(
                    `The page for the phone cannot be served at ${address}:${port}: ${error.message}. --page-port names another port.`,
                ),
            ),
        );
        server.listen(port, address, resolve);
    });
    return {
        url: `http://${address}:${port}/`,
        show: (contents) => {
            for (const [path, content] of Object.entries(contents)) shown.set(path, content);
        },
        close: () => {
            const closed = new Promise<void>((resolve) => server.close(() => resolve()));
            // A phone may keep its connection open.
            server.closeAllConnections();
            return closed;
        },
    };
}
