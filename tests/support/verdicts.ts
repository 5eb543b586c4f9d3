import type { Expectations, Listener } from "../../components/verification/expectations.ts";
import { verify } from "../../components/verification/verify.ts";
import { type Answers, FakeServer, keyDocument, VERIFY_KEY } from "./fake-server.ts";
import { freePorts } from "./ports.ts";
import { type Pair, TestCa } from "./test-ca.ts";

export const HOST = "matrix.example.org";

/** What a server answers that works. */
const PROXY: Answers = {
    "/_matrix/client/versions": '{"versions":["v1.11"]}',
    "/_matrix/federation/v1/version": '{"server":{"name":"Synapse","version":"1.0"}}',
    "/_matrix/key/v2/server": keyDocument("example.org"),
    "/.well-known/matrix/server": `{"m.server":"${HOST}:8448"}`,
    "/.well-known/matrix/client": `{"m.homeserver":{"base_url":"https://${HOST}"}}`,
};

const EXPECTED: Expectations = {
    serverName: "example.org",
    publicHost: HOST,
    clientUrl: `https://${HOST}`,
    federationAddress: `${HOST}:8448`,
    wellKnown: { client: {}, server: {} },
    proxied: true,
    trusted: true,
    authorities: [],
    listeners: [],
    verifyKey: VERIFY_KEY,
    container: "none",
    logsRequests: false,
};

/** A server that is to be verified. */
export interface Situation {
    /** Address → what is answered there instead; undefined where nobody listens. */
    readonly addresses: Readonly<Record<string, Answers | undefined>>;
    readonly serves?: Listener["serves"];
    readonly pair?: Pair;
    readonly expected?: Partial<Expectations>;
}

/** Has servers of a CA of their own verified, which is trusted unless a test says otherwise. */
export class Verdicts {
    readonly ca = new TestCa();
    readonly #pair = this.ca.issue(HOST);

    /** Verifies servers on one port of several addresses; without patience. */
    async of({ addresses, serves = ["clients", "federation"], pair = this.#pair, expected }: Situation) {
        const [port = 0] = await freePorts(1);
        const servers = await Promise.all(
            Object.entries(addresses).flatMap(([address, answers]) =>
                answers === undefined
                    ? []
                    : [FakeServer.start({ ...PROXY, ...answers }, { pair, address, port })],
            ),
        );
        const listeners = [{ serves, port, addresses: Object.keys(addresses), tls: true }];
        const place = { own: ["127.0.0.1", "::1"] };
        const wanted = { ...EXPECTED, authorities: [this.ca.pem], ...expected, listeners };
        const { failures, holds } = await verify(wanted, place, 0);
        for (const server of servers) await server.stop();
        return { failures: failures.map((text) => text.replaceAll(String(port), "PORT")), holds, servers };
    }
}
