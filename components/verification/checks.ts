import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import type { OutgoingHttpHeaders } from "node:http";
import { isDeepStrictEqual, promisify } from "node:util";
import { authority, isLoopback, withoutBrackets } from "../../hosts.ts";
import { type Answer, get } from "./client.ts";
import type { Expectations } from "./expectations.ts";
import { keyFault } from "./key.ts";
import type { Target } from "./targets.ts";
import type { Trust } from "./trust.ts";

/** Something that must hold at one address. It resolves to what was seen, and rejects with what was seen instead. */
export interface Check {
    readonly what: string;
    readonly holds: () => Promise<string>;
}

/** Everything that a server of these expectations must answer at a target. */
export function checks(expected: Expectations, target: Target, trust: Trust): Check[] {
    const { serves, tls } = target.listener;
    const server = new AskedServer(expected, target, trust);
    const clients = serves.includes("clients");
    const questions: [boolean, string, () => Promise<string>][] = [
        [clients || serves.includes("operator"), "the client API", () => server.clientApi()],
        [clients && tls, "the certificate", () => server.certificate()],
        [clients && expected.proxied, ".well-known", () => server.wellKnown()],
        [clients && expected.proxied, "the closed admin API", () => server.adminApiClosed()],
        [clients && expected.logsRequests, "the clients' addresses", () => server.forgedAddress()],
        [serves.includes("federation"), "the federation API", () => server.federationApi()],
        [serves.includes("federation"), "the server's identity", () => server.identity()],
        [
            expected.federationAddress === undefined && !serves.includes("redirect"),
            "the closed federation API",
            () => server.federationClosed(),
        ],
        [serves.includes("redirect"), "the redirect to HTTPS", () => server.redirect()],
    ];
    const where = authority(target.address, target.listener.port);
    return questions
        .filter(([applies]) => applies)
        .map(([, what, holds]) => ({ what: `${what} at ${where}`, holds }));
}

/** Something that does not hold: what was asked and what came back. */
class Failure extends Error {}

/** What a client says of itself, and what a proxy adds to it. */
const FORGED_ADDRESS = "203.0.113.99";
const ADDED_ADDRESS = "203.0.113.98";
const PATIENCE_MS = 10_000;

class AskedServer {
    readonly #expected: Expectations;
    readonly #target: Target;
    readonly #trust: Trust;

    constructor(expected: Expectations, target: Target, trust: Trust) {
        this.#expected = expected;
        this.#target = target;
        this.#trust = trust;
    }

    async clientApi(): Promise<string> {
        const answer = await this.#ask("/_matrix/client/versions");
        const { versions = [] } = json(answer) as { versions?: string[] };
        if (versions.length === 0)
            throw new Failure(`GET /_matrix/client/versions named no version: ${answer.body}`);
        return `speaks ${versions.at(-1)}`;
    }

    async federationApi(): Promise<string> {
        const { server } = json(await this.#ask("/_matrix/federation/v1/version")) as {
            server?: { name?: string; version?: string };
        };
        return `${server?.name} ${server?.version}`;
    }

    async identity(): Promise<string> {
        const { serverName, verifyKey } = this.#expected;
        const fault = keyFault(await this.#ask("/_matrix/key/v2/server"), serverName, verifyKey);
        if (fault !== undefined) throw new Failure(`GET /_matrix/key/v2/server: ${fault}`);
        return `${serverName} ${verifyKey.split(" ", 1)[0]}`;
    }

    /** Its names, its dates and whose it is are looked at on every connection; here is what was seen. */
    async certificate(): Promise<string> {
        const { certificateEnd } = await this.#ask("/_matrix/client/versions");
        if (certificateEnd === undefined) throw new Failure("the connection has no certificate");
        const trust = this.#trust.required
            ? ""
            : "; whether its CA is trusted was not asked, since a staging server's never is";
        return `valid for ${this.#expected.publicHost} until ${certificateEnd.toISOString().slice(0, 10)}${trust}`;
    }

    async wellKnown(): Promise<string> {
        const { clientUrl, federationAddress, wellKnown } = this.#expected;
        const documents = {
            client: { ...wellKnown.client, "m.homeserver": { base_url: clientUrl } },
            ...(federationAddress === undefined
                ? {}
                : { server: { ...wellKnown.server, "m.server": federationAddress } }),
            ...(wellKnown.support === undefined ? {} : { support: wellKnown.support }),
        };
        for (const [name, wanted] of Object.entries(documents)) await this.#wellKnownFile(name, wanted);
        if (federationAddress === undefined) await this.#ask("/.well-known/matrix/server", { wanted: [404] });
        return Object.keys(documents).join(", ");
    }

    async #wellKnownFile(name: string, wanted: object): Promise<void> {
        const path = `/.well-known/matrix/${name}`;
        const answer = await this.#ask(path);
        if (!isDeepStrictEqual(json(answer), wanted))
            throw new Failure(`GET ${path}: wanted ${JSON.stringify(wanted)}, got ${answer.body}`);
        if (answer.headers["access-control-allow-origin"] !== "*") {
            throw new Failure(
                `GET ${path} lacks the header Access-Control-Allow-Origin: *, without which web clients cannot read it`,
            );
        }
    }

    async federationClosed(): Promise<string> {
        for (const path of ["/_matrix/federation/v1/version", "/_matrix/key/v2/server"])
            await this.#ask(path, { wanted: [404] });
        return "404";
    }

    async adminApiClosed(): Promise<string> {
        for (const path of [
            "/_synapse/admin/v1/server_version",
            "/_matrix/../_synapse/admin/v1/server_version",
        ]) {
            await this.#ask(path, { wanted: [404, 400] });
        }
        return "404";
    }

    async redirect(): Promise<string> {
        const { headers } = await this.#ask("/", { wanted: [301] });
        const location = headers.location ?? "nowhere";
        if (!location.startsWith("https://")) throw new Failure(`GET / redirects to ${location}`);
        return location;
    }

    /** Synapse logs each request with the address that it takes for the client's. */
    async forgedAddress(): Promise<string> {
        const mark = `verification-${randomUUID()}`;
        await this.#ask("/_matrix/client/versions", {
            headers: { "User-Agent": mark, "X-Forwarded-For": `${FORGED_ADDRESS}, ${ADDED_ADDRESS}` },
        });
        const { stdout, stderr } = await promisify(execFile)(
            "docker",
            ["logs", "--tail", "2000", this.#expected.container],
            { maxBuffer: 64 * 1024 * 1024 },
        );
        const line = (stdout + stderr).split("\n").find((text) => text.includes(mark));
        if (line === undefined)
            throw new Failure("Synapse's log does not show the request that was just answered");
        const { believesHost } = this.#expected;
        const believed = line.includes(ADDED_ADDRESS);
        if (line.includes(FORGED_ADDRESS) || (believed && believesHost === undefined))
            throw new Failure(`a forged X-Forwarded-For was believed: Synapse logged\n  ${line}`);
        if (!believed && believesHost === true && isLoopback(this.#target.address)) {
            throw new Failure(
                `the X-Forwarded-For of a proxy on this host was not believed, so all clients would have one address. ` +
                    `Name the one that Synapse logged in synapse:tls.trustedProxies:\n  ${line}`,
            );
        }
        return believed
            ? "a proxy's X-Forwarded-For is believed"
            : "a forged X-Forwarded-For is not believed";
    }

    async #ask(path: string, { wanted = [200], headers = {} }: Asking = {}): Promise<Answer> {
        const { publicHost } = this.#expected;
        const { address, listener } = this.#target;
        const { port, tls } = listener;
        if (port === 0) throw new Failure("its port is not published: the container does not run");
        const answer = await get({
            address,
            port,
            tlsName: tls ? withoutBrackets(publicHost) : undefined,
            // As clients send it: without the port that is the scheme's own.
            host: port === (tls ? 443 : 80) ? publicHost : `${publicHost}:${port}`,
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
        return `${tls ? "https" : "http"}://${this.#expected.publicHost}:${port}${path} (at ${this.#target.address})`;
    }
}

interface Asking {
    /** @default [200] */
    readonly wanted?: readonly number[];
    readonly headers?: OutgoingHttpHeaders;
}

function json(answer: Answer): object {
    try {
        const value: unknown = JSON.parse(answer.body);
        if (typeof value === "object" && value !== null) return value;
    } catch {
        // As below.
    }
    throw new Failure(`wanted JSON, got ${answer.body.slice(0, 300)}`);
}
