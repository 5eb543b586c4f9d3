import type { OutgoingHttpHeaders } from "node:http";
import { withoutBrackets } from "../../hosts.ts";
import { type Answer, get } from "./client.ts";
import { printable } from "./printable.ts";
import type { Target } from "./targets.ts";
import type { Trust } from "./trust.ts";

/** Something that does not hold: what was asked and what came back. */
export class Failure extends Error {
    constructor(message: string) {
        super(printable(message));
    }
}

export interface Asking {
    /** Statuses. @default [200] */
    readonly wanted?: readonly number[];
    readonly headers?: OutgoingHttpHeaders;
}

const PATIENCE_MS = 10_000;

/** A server at one address, under the name that the world knows. */
export class Asker {
    readonly #publicHost: string;
    readonly #target: Target;
    readonly #trust: Trust;

    constructor(publicHost: string, target: Target, trust: Trust) {
        this.#publicHost = publicHost;
        this.#target = target;
        this.#trust = trust;
    }

    /** Gets a path. Rejects with a {@link Failure} when there is no answer, or one of another status. */
    async ask(path: string, { wanted = [200], headers = {} }: Asking = {}): Promise<Answer> {
        const { address, listener } = this.#target;
        const { port, tls } = listener;
        if (port === 0) throw new Failure("its port is not published: the container does not run");
        const answer = await get({
            address,
            port,
            tlsName: tls ? withoutBrackets(this.#publicHost) : undefined,
            // As clients send it: without the port that is the scheme's own.
            host: port === (tls ? 443 : 80) ? this.#publicHost : `${this.#publicHost}:${port}`,
            path,
            headers,
            trust: this.#trust,
            signal: AbortSignal.timeout(PATIENCE_MS),
        }).catch((error: Error) => {
            throw new Failure(`GET ${this.#url(path)}: ${error.message}`);
        });
        if (!wanted.includes(answer.status)) {
            throw new Failure(
                `GET ${this.#url(path)}: wanted ${wanted.join(" or ")}, got ${answer.status} ${answer.body.slice(0, 300)}`,
            );
        }
        return answer;
    }

    #url(path: string): string {
        const { port, tls } = this.#target.listener;
        return `${tls ? "https" : "http"}://${this.#publicHost}:${port}${path} (at ${this.#target.address})`;
    }
}

/** The object that an answer holds. */
export function json(answer: Answer): object {
    try {
        const value: unknown = JSON.parse(answer.body);
        if (typeof value === "object" && value !== null) return value;
    } catch {
        // As below.
    }
    throw new Failure(`wanted JSON, got ${answer.body.slice(0, 300)}`);
}
