import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** What hold.js did with a request. */
export interface Held {
    readonly redirected: string[];
    readonly returned: [number, string][];
    /** Milliseconds until then. */
    readonly waited: number;
}

interface Script {
    readonly hold: (request: unknown) => Promise<void>;
}

type Health = "answers" | "refuses" | "is silent";

/** components/nginx/hold.js under a stand-in for njs, which is a global: one in a process. */
export class FakeNjs {
    /** What Synapse does with a probe. */
    health: Health = "answers";
    /** How many there were. */
    probes = 0;
    /** What the workers of nginx share. */
    readonly shared = new Map<string, number>();
    readonly #expiring = new Map<string, number>();
    readonly #directory = mkdtempSync(join(tmpdir(), "hold-"));
    /** File with which Synapse announces that it restarts. */
    readonly announcement = join(this.#directory, "restarting");
    #script: Script | undefined;

    static async start(): Promise<FakeNjs> {
        const njs = new FakeNjs();
        Object.assign(globalThis, {
            ngx: { fetch: () => njs.#fetch(), shared: { hold: njs.#dictionary() } },
        });
        const script = new URL("../../components/nginx/hold.js", import.meta.url).href;
        njs.#script = ((await import(script)) as { default: Script }).default;
        return njs;
    }

    /** Forgets all, and announces nothing. */
    begin(health: Health): void {
        this.shared.clear();
        this.#expiring.clear();
        this.probes = 0;
        this.health = health;
        rmSync(this.announcement, { force: true });
    }

    /** Holds a request, `GET` or `GET /path`. */
    async hold(request: string, variables: Record<string, string> = {}): Promise<Held> {
        const [method, path = "/_matrix/client/versions"] = request.split(" ");
        const held: Held = { redirected: [], returned: [], waited: 0 };
        const started = Date.now();
        await this.#script?.hold({
            method,
            variables: {
                hold_seconds: "1",
                hold_probe: "http://synapse:8008/health",
                hold_announcement: this.announcement,
                request_path: path,
                upstream_bytes_sent: "0",
                ...variables,
            },
            headersOut: {},
            internalRedirect: (location: string) => held.redirected.push(location),
            return: (status: number, body: string) => held.returned.push([status, body]),
        });
        return { ...held, waited: Date.now() - started };
    }

    /** Synapse is found away, and is back a moment later. */
    async holdOverRestart(request: string, variables: Record<string, string> = {}): Promise<Held> {
        this.begin("refuses");
        const held = this.hold(request, variables);
        await sleep(150);
        this.health = "answers";
        return held;
    }

    remove(): void {
        rmSync(this.#directory, { recursive: true });
    }

    #fetch(): Promise<{ status: number }> {
        this.probes += 1;
        if (this.health === "answers") return Promise.resolve({ status: 200 });
        if (this.health === "refuses") return Promise.reject(new Error("connect failed"));
        return sleep(1000).then(() => Promise.reject(new Error("read timed out")));
    }

    #dictionary() {
        return {
            add: (key: string, _value: number, milliseconds: number) => {
                if ((this.#expiring.get(key) ?? 0) > Date.now()) return false;
                this.#expiring.set(key, Date.now() + milliseconds);
                return true;
            },
            set: (key: string, value: number) => this.shared.set(key, value),
            get: (key: string) => this.shared.get(key),
            incr: (key: string, by: number, initial: number) => {
                const value = (this.shared.get(key) ?? initial) + by;
                this.shared.set(key, value);
                return value;
            },
        };
    }
}
