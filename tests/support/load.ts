import { randomBytes } from "node:crypto";
import { Http1, Http2, type Protocol, type Sent } from "./load-protocols.ts";

/** What a load met with. */
export interface Outcome {
    readonly sent: number;
    /** Kind of request over one of the protocols → how often it was sent. */
    readonly kinds: Readonly<Record<string, number>>;
    /** Kind of request and what came back instead of 200 → how often. */
    readonly failed: Readonly<Record<string, number>>;
    /** Milliseconds of the slowest answer. */
    readonly slowest: number;
    /** Requests a second. */
    readonly rate: number;
}

/** Where a load goes: a port of this machine, and nowhere else. */
export interface Target {
    readonly port: number;
    readonly ca: string | undefined;
    readonly token: string;
    readonly userId: string;
    /** A room that the user is in. */
    readonly roomId: string;
}

/** At most so long, whatever the caller forgets. */
const MOST_SECONDS = 180;
const TICK_MS = 30;
/**
 * No more than this under way: what nginx holds with its default memory, with room to spare, so that a machine which is too slow
 * for the load is told by the rate, and not by refused connections.
 */
const MOST_PENDING = 900;
const UPLOAD = randomBytes(1024 * 1024);

/**
 * What a lively server gets, at least 60 requests a second until it is stopped: reading, sending, uploads and long
 * polls of both kinds, each kind over HTTP/1.1 and HTTP/2 in turn.
 */
export class Load {
    readonly #target: Target;
    readonly #protocols: readonly Protocol[];
    readonly #pending = new Set<Promise<void>>();
    readonly #kinds: Record<string, number> = {};
    readonly #failed: Record<string, number> = {};
    readonly #started = Date.now();
    readonly #timer: NodeJS.Timeout;
    #sent = 0;
    #slowest = 0;
    #ticks = 0;

    constructor(target: Target) {
        this.#target = target;
        this.#protocols = [new Http1(target), new Http2(target)];
        const last = this.#started + MOST_SECONDS * 1000;
        this.#timer = setInterval(() => {
            // By the clock: on a busy machine a timer comes late, and the load is to be the same.
            const now = Date.now();
            const due = Math.floor((Math.min(now, last) - this.#started) / TICK_MS);
            while (this.#ticks < due && this.#pending.size < MOST_PENDING) this.#tick();
        }, TICK_MS);
    }

    /** Ends the load, waits for what is under way, and says how it went. */
    async stop(): Promise<Outcome> {
        clearInterval(this.#timer);
        const seconds = (Date.now() - this.#started) / 1000;
        await Promise.all(this.#pending);
        for (const protocol of this.#protocols) protocol.close();
        return {
            sent: this.#sent,
            kinds: this.#kinds,
            failed: this.#failed,
            slowest: this.#slowest,
            rate: this.#sent / seconds,
        };
    }

    #tick(): void {
        this.#ticks += 1;
        this.#send({ kind: "versions", method: "GET", path: "/_matrix/client/versions" });
        this.#send(this.#often(this.#ticks));
        for (const [each, request] of this.#seldom(this.#ticks)) {
            if (this.#ticks % each === 0) this.#send(request);
        }
    }

    #often(tick: number): Sent {
        const user = encodeURIComponent(this.#target.userId);
        const room = encodeURIComponent(this.#target.roomId);
        const client = "/_matrix/client/v3";
        switch (tick % 8) {
            case 0:
                return {
                    kind: "account data",
                    method: "PUT",
                    path: `${client}/user/${user}/account_data/a.test.${tick % 5}`,
                    body: JSON.stringify({ tick }),
                };
            case 1:
                return {
                    kind: "message",
                    method: "PUT",
                    path: `${client}/rooms/${room}/send/m.room.message/${this.#started}-${tick}`,
                    body: JSON.stringify({ msgtype: "m.text", body: `message ${tick}` }),
                };
            case 2:
                return {
                    kind: "keys",
                    method: "POST",
                    path: `${client}/keys/query`,
                    body: JSON.stringify({ device_keys: { [this.#target.userId]: [] } }),
                };
            default:
                return { kind: "whoami", method: "GET", path: `${client}/account/whoami` };
        }
    }

    /** What comes once in so many ticks. */
    #seldom(tick: number): (readonly [number, Sent])[] {
        const client = "/_matrix/client/v3";
        return [
            [20, { kind: "sync", method: "GET", path: `${client}/sync?timeout=3000&set_presence=offline` }],
            [
                20,
                {
                    kind: "sliding sync",
                    method: "POST",
                    path: "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?timeout=3000",
                    body: JSON.stringify({ conn_id: `load-${tick % 7}`, lists: {} }),
                },
            ],
            [
                40,
                {
                    kind: "upload",
                    method: "POST",
                    path: "/_matrix/media/v3/upload?filename=noise.bin",
                    body: UPLOAD,
                },
            ],
            [60, { kind: "room", method: "POST", path: `${client}/createRoom`, body: "{}" }],
        ];
    }

    #send(request: Sent): void {
        const count = this.#count(this.#kinds, request.kind);
        const protocol = this.#protocols[count % this.#protocols.length];
        if (protocol === undefined) return;
        this.#count(this.#kinds, `${request.kind} over ${protocol.name}`);
        this.#sent += 1;
        const started = Date.now();
        const sending = protocol
            .answer(request)
            .then((status) => {
                this.#slowest = Math.max(this.#slowest, Date.now() - started);
                if (status !== 200) throw new Error(String(status));
            })
            .catch((error: unknown) => {
                const reason = error instanceof Error ? error.message : String(error);
                this.#count(
                    this.#failed,
                    `${request.method} ${request.kind} over ${protocol.name}: ${reason}`,
                );
            });
        this.#pending.add(sending);
        void sending.finally(() => this.#pending.delete(sending));
    }

    #count(counts: Record<string, number>, key: string): number {
        const count = (counts[key] ?? 0) + 1;
        counts[key] = count;
        return count;
    }
}
