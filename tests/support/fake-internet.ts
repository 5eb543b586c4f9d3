import assert from "node:assert/strict";
import type { Answer } from "../../components/verification/client.ts";
import type { OutsideExpectations } from "../../components/verification/expectations.ts";
import { type Trust, trustIn } from "../../components/verification/trust.ts";
import { DNS_VARIABLE, theWorld, type World } from "../../components/verification/world.ts";
import { FakeDns, type Zone } from "./fake-dns.ts";
import { type Answers, FakeServer, keyDocument, VERIFY_KEY } from "./fake-server.ts";
import { TestCa } from "./test-ca.ts";

export const NAME = "example.org";
export const HOST = "matrix.example.org";
/** Addresses of the homeserver, of the web site of {@link NAME}, and of another homeserver. */
export const SELF = "127.0.0.1";
export const SITE = "192.0.2.2";
export const OTHER = "192.0.2.1";

export const KEY = { "/_matrix/key/v2/server": keyDocument(NAME) };
export const SERVER_FILE = `{"m.server":"${HOST}:8448"}`;
export const CLIENT_FILE = `{"m.homeserver":{"base_url":"https://${HOST}"}}`;
export const FILES = { "/.well-known/matrix/server": SERVER_FILE, "/.well-known/matrix/client": CLIENT_FILE };
const VERSIONS = { "/_matrix/client/versions": '{"versions":["v1.11"]}' };

export const EXPECTED: OutsideExpectations = {
    serverName: NAME,
    publicHost: HOST,
    clientUrl: `https://${HOST}`,
    federationAddress: `${HOST}:8448`,
    proxied: true,
    trusted: true,
    authorities: [],
    wellKnown: { client: {}, server: {} },
    clientPort: 443,
    federationPort: 8448,
    publishesIpv6: false,
    verifyKey: VERIFY_KEY,
};
const { verifyKey: _, ...preview } = EXPECTED;
/** What is expected of a server that does not run yet. */
export const PREVIEW: OutsideExpectations = preview;

/** What the DNS knows, and what is answered by whom. */
export interface Given {
    readonly zone: Zone;
    readonly site?: Answers;
    readonly other?: Answers;
    /** Beside what it answers anyway. */
    readonly homeserver?: Answers;
}

/** All is well. */
export const WELL: Given = { zone: { [HOST]: [SELF], [NAME]: [SITE] }, site: FILES };

interface Servers {
    readonly clients: FakeServer;
    readonly federation: FakeServer;
    readonly site: FakeServer;
    readonly other: FakeServer;
}

/** An internet on this machine: a DNS, the homeserver, its name's web site, and another homeserver. */
export class FakeInternet {
    /** Every request so far: `Host path at address:port`. */
    readonly asked: string[] = [];
    readonly dns: FakeDns;
    readonly #ca: TestCa;
    readonly #servers: Servers;
    readonly #trust: Trust;

    private constructor(dns: FakeDns, ca: TestCa, servers: Servers) {
        this.dns = dns;
        this.#ca = ca;
        this.#servers = servers;
        this.#trust = trustIn([ca.pem], true);
    }

    static async start(): Promise<FakeInternet> {
        const ca = new TestCa();
        const dns = await FakeDns.start({});
        process.env[DNS_VARIABLE] = dns.address;
        const own = ca.issue(HOST);
        return new FakeInternet(dns, ca, {
            clients: await FakeServer.start({}, { pair: own }),
            federation: await FakeServer.start({}, { pair: own }),
            site: await FakeServer.start({}, { pair: ca.issue(NAME) }),
            other: await FakeServer.start({}, { pair: ca.issue(NAME, "srv.example.org", OTHER) }),
        });
    }

    /** The world as it is from now on. */
    given({ zone, site = {}, other = {}, homeserver = {} }: Given): World {
        this.dns.zone = zone;
        this.#servers.site.answers = site;
        this.#servers.other.answers = other;
        for (const server of [this.#servers.clients, this.#servers.federation])
            server.answers = { ...VERSIONS, ...KEY, ...FILES, ...homeserver };
        const world = theWorld(this.#trust);
        const get = (request: Parameters<World["get"]>[0]): Promise<Answer> => {
            this.asked.push(`${request.host} ${request.path} at ${request.address}:${request.port}`);
            const port = this.#portOf(request.address, request.port);
            return world.get({ ...request, address: SELF, port });
        };
        return { ...world, get };
    }

    /** Begins to count anew. */
    forget(): void {
        this.asked.length = 0;
        this.dns.asked.length = 0;
    }

    async stop(): Promise<void> {
        for (const server of Object.values(this.#servers) as FakeServer[]) await server.stop();
        this.dns.stop();
        this.#ca.remove();
    }

    /** Everybody's addresses lead to this machine, where each has ports of its own. */
    #portOf(address: string, port: number): number {
        const { clients, federation, other, site } = this.#servers;
        if (address === SITE) return port === 443 ? site.port : 1;
        if (address === OTHER) return port === 8448 || port === 7000 ? other.port : 1;
        if (port === 443) return clients.port;
        return port === 8448 ? federation.port : 1;
    }
}

/** The warning that begins with these words, as its parts. */
export function warning(warnings: readonly string[], subject: string): Record<string, string> {
    const found = warnings.filter((text) => text.startsWith(subject));
    assert.equal(found.length, 1, `${subject} in\n${warnings.join("\n")}`);
    return Object.fromEntries(
        (found[0] ?? "")
            .split("\n")
            .slice(1)
            .map((line) => {
                const [, key = "", value = ""] = /^ {2}(\w+): +(.*)$/.exec(line) ?? [];
                return [key, value];
            }),
    );
}
