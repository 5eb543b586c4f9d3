import { Agent, request } from "node:https";

/** What a load met with. */
export interface Outcome {
    readonly sent: number;
    /** Kind of request and what came back instead of 200 → how often. */
    readonly failed: Readonly<Record<string, number>>;
    /** Milliseconds of the slowest answer. */
    readonly slowest: number;
}

/** Where a load goes: a port of this machine, and nowhere else. */
export interface Target {
    readonly port: number;
    readonly ca: string | undefined;
    readonly token: string;
    readonly userId: string;
}

/** At most so long, whatever the caller forgets. */
const MOST_SECONDS = 120;

/** Sends at least 50 requests a second, of GET, PUT and long-polling /sync, until it is stopped. */
export class Load {
    readonly #target: Target;
    readonly #agent: Agent;
    readonly #pending = new Set<Promise<void>>();
    readonly #failed: Record<string, number> = {};
    readonly #timer: NodeJS.Timeout;
    #sent = 0;
    #slowest = 0;
    #ticks = 0;

    constructor(target: Target) {
        this.#target = target;
        this.#agent = new Agent({ keepAlive: true, ca: target.ca, servername: "localhost" });
        const last = Date.now() + MOST_SECONDS * 1000;
        this.#timer = setInterval(() => {
            if (Date.now() < last) this.#tick();
        }, 30);
    }

    /** Ends the load, waits for what is under way, and says how it went. */
    async stop(): Promise<Outcome> {
        clearInterval(this.#timer);
        await Promise.all(this.#pending);
        this.#agent.destroy();
        return { sent: this.#sent, failed: this.#failed, slowest: this.#slowest };
    }

    #tick(): void {
        this.#ticks += 1;
        this.#send("GET", "/_matrix/client/versions");
        const user = encodeURIComponent(this.#target.userId);
        const body = JSON.stringify({ tick: this.#ticks });
        this.#send("PUT", `/_matrix/client/v3/user/${user}/account_data/a.test.${this.#ticks % 5}`, body);
        if (this.#ticks % 20 === 0)
            this.#send("GET", "/_matrix/client/v3/sync?timeout=3000&set_presence=offline");
    }

    #send(method: string, path: string, body?: string): void {
        const sending = this.#answer(method, path, body, true).catch((error: unknown) => {
            const reason = error instanceof Error ? error.message : String(error);
            const kind = `${method} ${path.split("?")[0]}: ${reason}`;
            this.#failed[kind] = (this.#failed[kind] ?? 0) + 1;
        });
        this.#sent += 1;
        this.#pending.add(sending);
        void sending.finally(() => this.#pending.delete(sending));
    }

    /**
     * A server may close an idle connection at the very moment in which a client sends on it. Every browser and HTTP
     * library then sends again on a new connection, once; Node leaves it to its caller.
     */
    #answer(method: string, path: string, body: string | undefined, mayRepeat: boolean): Promise<void> {
        const { port, token } = this.#target;
        const headers = { host: "localhost", authorization: `Bearer ${token}` };
        const started = Date.now();
        return new Promise((resolve, reject) => {
            // Without the agent it is a new connection.
            const agent = mayRepeat ? this.#agent : false;
            const tls = { ca: this.#target.ca, servername: "localhost" };
            const options = {
                host: "127.0.0.1",
                port,
                path,
                method,
                headers,
                agent,
                timeout: 60_000,
                ...tls,
            };
            const sent = request(options, (response) => {
                response.resume();
                response.on("error", reject);
                response.on("end", () => {
                    this.#slowest = Math.max(this.#slowest, Date.now() - started);
                    if (response.statusCode === 200) resolve();
                    else reject(new Error(String(response.statusCode)));
                });
            });
            sent.on("timeout", () => sent.destroy(new Error("no answer within 60 s")));
            sent.on("error", (error: NodeJS.ErrnoException) => {
                const wasClosed = sent.reusedSocket && error.code === "ECONNRESET";
                if (wasClosed && mayRepeat) this.#answer(method, path, body, false).then(resolve, reject);
                else reject(error);
            });
            sent.end(body);
        });
    }
}
