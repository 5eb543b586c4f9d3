import { isDeepStrictEqual } from "node:util";
import { authority, isLoopback } from "../../hosts.ts";
import { Asker, Failure, json } from "./asking.ts";
import type { Expectations } from "./expectations.ts";
import { believed, logOfForged } from "./forged-address.ts";
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

class AskedServer {
    readonly #expected: Expectations;
    readonly #target: Target;
    readonly #server: Asker;

    constructor(expected: Expectations, target: Target, trust: Trust) {
        this.#expected = expected;
        this.#target = target;
        this.#server = new Asker(expected.publicHost, target, trust);
    }

    async clientApi(): Promise<string> {
        const answer = await this.#server.ask("/_matrix/client/versions");
        const { versions = [] } = json(answer) as { versions?: string[] };
        if (versions.length === 0)
            throw new Failure(`GET /_matrix/client/versions named no version: ${answer.body}`);
        return `speaks ${versions.at(-1)}`;
    }

    async federationApi(): Promise<string> {
        const { server } = json(await this.#server.ask("/_matrix/federation/v1/version")) as {
            server?: { name?: string; version?: string };
        };
        return `${server?.name} ${server?.version}`;
    }

    async identity(): Promise<string> {
        const { serverName, verifyKey } = this.#expected;
        const fault = keyFault(await this.#server.ask("/_matrix/key/v2/server"), serverName, verifyKey);
        if (fault !== undefined) throw new Failure(`GET /_matrix/key/v2/server: ${fault}`);
        return `${serverName} ${verifyKey.split(" ", 1)[0]}`;
    }

    /** Its names, its dates and whose it is are looked at on every connection; here is what was seen. */
    async certificate(): Promise<string> {
        const { certificateEnd } = await this.#server.ask("/_matrix/client/versions");
        if (certificateEnd === undefined) throw new Failure("the connection has no certificate");
        const trust = this.#expected.trusted
            ? ""
            : "; whether its CA is trusted was not asked, since a staging server's never is";
        return `valid for ${this.#expected.publicHost} until ${certificateEnd.toISOString().slice(0, 10)}${trust}`;
    }

    async wellKnown(): Promise<string> {
        const documents = wellKnownDocuments(this.#expected);
        for (const [name, wanted] of Object.entries(documents)) await this.#wellKnownFile(name, wanted);
        if (this.#expected.federationAddress === undefined)
            await this.#server.ask("/.well-known/matrix/server", { wanted: [404] });
        return Object.keys(documents).join(", ");
    }

    async #wellKnownFile(name: string, wanted: object): Promise<void> {
        const path = `/.well-known/matrix/${name}`;
        const answer = await this.#server.ask(path);
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
            await this.#server.ask(path, { wanted: [404] });
        return "404";
    }

    async adminApiClosed(): Promise<string> {
        for (const path of [
            "/_synapse/admin/v1/server_version",
            "/_matrix/../_synapse/admin/v1/server_version",
        ]) {
            await this.#server.ask(path, { wanted: [404, 400] });
        }
        return "404";
    }

    async redirect(): Promise<string> {
        const { headers } = await this.#server.ask("/", { wanted: [301] });
        const location = headers.location ?? "nowhere";
        if (!location.startsWith("https://")) throw new Failure(`GET / redirects to ${location}`);
        return location;
    }

    async forgedAddress(): Promise<string> {
        const { believesHost, container } = this.#expected;
        const line = await logOfForged(this.#server, container);
        return believed(line, believesHost, isLoopback(this.#target.address));
    }
}

/** What is served below /.well-known/matrix: file → its content. */
function wellKnownDocuments({
    clientUrl,
    federationAddress,
    wellKnown,
}: Expectations): Record<string, object> {
    return {
        client: { ...wellKnown.client, "m.homeserver": { base_url: clientUrl } },
        ...(federationAddress === undefined
            ? {}
            : { server: { ...wellKnown.server, "m.server": federationAddress } }),
        ...(wellKnown.support === undefined ? {} : { support: wellKnown.support }),
    };
}
