import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Expectations, Listener } from "../../components/verification/expectations.ts";
import { remoteName } from "../../components/verification/place.ts";
import { targets } from "../../components/verification/targets.ts";
import { verify } from "../../components/verification/verify.ts";
import { type Answers, FakeServer, keyDocument, VERIFY_KEY } from "../support/fake-server.ts";
import { freePorts } from "../support/ports.ts";
import { type Pair, TestCa } from "../support/test-ca.ts";

const HOST = "matrix.example.org";
const ca = new TestCa();
const pair = ca.issue(HOST);
after(() => ca.remove());

// --- Where it asks ------------------------------------------------------------------------------------------------

const OWN = ["127.0.0.1", "::1", "192.0.2.7", "2001:db8::7"];

function asked(addresses: readonly string[], own = OWN, remote?: { name: string; addresses: string[] }) {
    const listener: Listener = { serves: ["clients"], port: 443, addresses, tls: true };
    const found = targets([listener], { own, ...(remote && { remote }) });
    return { addresses: found.asked.map(({ address }) => address), notes: found.notes };
}

test("every published address is asked, and all of them by the loopback one and one that others reach", () => {
    assert.deepEqual(asked(["192.0.2.7", "::1"]), { addresses: ["192.0.2.7", "::1"], notes: [] });
    assert.deepEqual(asked(["0.0.0.0", "::"]), {
        addresses: ["127.0.0.1", "192.0.2.7", "::1", "2001:db8::7"],
        notes: [],
    });
    assert.deepEqual(asked(["0.0.0.0"], ["127.0.0.1"]).addresses, ["127.0.0.1"]);
});

test("on a machine without IPv6 it says that it did not ask there", () => {
    assert.deepEqual(asked(["0.0.0.0", "::"], ["127.0.0.1"]), {
        addresses: ["127.0.0.1"],
        notes: ["Not asked: [::]:443, since this machine has no IPv6."],
    });
});

test("of another machine the loopback address is named, not passed over", () => {
    const remote = { name: "docker.example.org", addresses: ["192.0.2.9"] };
    assert.deepEqual(asked(["0.0.0.0", "::", "127.0.0.1", "192.0.2.10"], OWN, remote), {
        addresses: ["192.0.2.9", "192.0.2.10"],
        notes: [
            "Not asked: [::]:443, since docker.example.org leads to no IPv6 address from here.",
            "Not asked: 127.0.0.1:443, since it is the loopback address of another machine, docker.example.org.",
        ],
    });
});

test("the Docker host is this machine unless its URL says otherwise", () => {
    for (const [url, name] of [
        [undefined, undefined],
        ["unix:///run/docker.sock", undefined],
        ["tcp://127.0.0.1:2375", undefined],
        ["ssh://deploy@docker.example.org", "docker.example.org"],
        ["tcp://[2001:db8::1]:2376", "2001:db8::1"],
    ] as const) {
        assert.equal(remoteName(url), name, url);
    }
});

// --- What it asks -------------------------------------------------------------------------------------------------

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
    authorities: [ca.pem],
    listeners: [],
    verifyKey: VERIFY_KEY,
    container: "none",
    logsRequests: false,
};

interface Situation {
    /** Address → what is answered there instead; undefined where nobody listens. */
    readonly addresses: Readonly<Record<string, Answers | undefined>>;
    readonly serves?: Listener["serves"];
    readonly pair?: Pair;
    readonly expected?: Partial<Expectations>;
}

/** Verifies servers on one port of several addresses; without patience. */
async function verdict({
    addresses,
    serves = ["clients", "federation"],
    pair: own = pair,
    expected,
}: Situation) {
    const [port = 0] = await freePorts(1);
    const servers = await Promise.all(
        Object.entries(addresses).flatMap(([address, answers]) =>
            answers === undefined
                ? []
                : [FakeServer.start({ ...PROXY, ...answers }, { pair: own, address, port })],
        ),
    );
    const listeners = [{ serves, port, addresses: Object.keys(addresses), tls: true }];
    const place = { own: ["127.0.0.1", "::1"] };
    const { failures, holds } = await verify({ ...EXPECTED, ...expected, listeners }, place, 0);
    for (const server of servers) await server.stop();
    return { failures: failures.map((text) => text.replaceAll(String(port), "PORT")), holds, servers };
}

test("a server that answers everywhere is found to work, with each thing that was seen", async () => {
    const { failures, holds, servers } = await verdict({ addresses: { "127.0.0.1": {}, "::1": {} } });
    assert.deepEqual(failures, []);
    assert.equal(holds.length, 2 * 6, holds.join("\n"));
    for (const { names } of servers) assert.deepEqual([...new Set(names)], [HOST]);
});

test("an address that does not answer fails, although another one does", async () => {
    const { failures } = await verdict({ addresses: { "127.0.0.1": {}, "::1": undefined } });
    assert.equal(failures.length, 1);
    assert.match(
        failures[0] ?? "",
        /^the client API at \[::1\]:PORT does not work\.\n.*ECONNREFUSED ::1:PORT/,
    );
});

test("every address that does not work is named", async () => {
    const { failures } = await verdict({ addresses: { "127.0.0.1": undefined, "::1": undefined } });
    assert.equal(failures.length, 2);
});

for (const [what, path, answer, reason] of [
    ["no client API", "/_matrix/client/versions", 502, /^the client API at \[::1\].*\n.*wanted 200, got 502/],
    ["no federation", "/_matrix/federation/v1/version", 404, /^the federation API at \[::1\]/],
    [
        "another server's key",
        "/_matrix/key/v2/server",
        keyDocument("example.org", "other"),
        /^the server's identity at \[::1\].*\n.*wanted example\.org with the recorded key ed25519:a_Test/,
    ],
    ["another server's name", "/_matrix/key/v2/server", keyDocument("a.org"), /^the server's identity at /],
    [
        "another server's delegation",
        "/.well-known/matrix/server",
        '{"m.server":"elsewhere.org:443"}',
        /^\.well-known at \[::1\].*\n.*wanted \{"m\.server":"matrix\.example\.org:8448"\}, got .*elsewhere/,
    ],
    [
        "no URL for clients",
        "/.well-known/matrix/client",
        "{}",
        /^\.well-known at \[::1\].*\n.*wanted .*https:\/\/matrix\.example\.org"\}\}, got \{\}/,
    ],
    [
        "an open admin API",
        "/_synapse/admin/v1/server_version",
        "{}",
        /^the closed admin API at \[::1\].*\n.*wanted 404 or 400, got 200/,
    ],
] as const) {
    test(`${what} at the second address fails`, async () => {
        const { failures } = await verdict({ addresses: { "127.0.0.1": {}, "::1": { [path]: answer } } });
        assert.equal(failures.length, 1, failures.join());
        assert.match(failures[0] ?? "", reason);
    });
}

test("a server without federation works when nobody answers other servers, and fails when somebody does", async () => {
    const closed = {
        "/_matrix/federation/v1/version": 404,
        "/_matrix/key/v2/server": 404,
        "/.well-known/matrix/server": 404,
    };
    const expected = { federationAddress: undefined };
    for (const serves of [["clients"], ["operator"]] as const) {
        const { failures, holds } = await verdict({ addresses: { "::1": closed }, serves, expected });
        assert.deepEqual(failures, []);
        assert.ok(
            holds.some((line) => /^the closed federation API at .*: 404$/.test(line)),
            holds.join(),
        );
    }
    for (const path of Object.keys(closed)) {
        const open = { ...closed, [path]: "{}" };
        const { failures } = await verdict({ addresses: { "::1": open }, serves: ["clients"], expected });
        assert.match(failures.join(), /wanted 404, got 200/, path);
    }
});

test("what the settings add to .well-known must be served", async () => {
    const wellKnown = {
        client: { "m.identity_server": { base_url: "https://id.example.org" } },
        server: {},
        support: { support_page: "https://example.org/help" },
    };
    const { failures } = await verdict({ addresses: { "::1": {} }, expected: { wellKnown } });
    assert.match(failures.join(), /GET \/\.well-known\/matrix\/client: wanted .*m\.identity_server/);
    const served = {
        "/.well-known/matrix/client": JSON.stringify({
            "m.homeserver": { base_url: `https://${HOST}` },
            ...wellKnown.client,
        }),
        "/.well-known/matrix/support": JSON.stringify(wellKnown.support),
    };
    assert.deepEqual((await verdict({ addresses: { "::1": served }, expected: { wellKnown } })).failures, []);
    const lacking = { ...served, "/.well-known/matrix/support": 404 };
    assert.equal(
        (await verdict({ addresses: { "::1": lacking }, expected: { wellKnown } })).failures.length,
        1,
    );
});

test("a redirect must lead to HTTPS, at every address", async () => {
    const serves = ["redirect"] as const;
    assert.deepEqual((await verdict({ addresses: { "::1": { "/": 301 } }, serves })).failures, []);
    const { failures } = await verdict({ addresses: { "127.0.0.1": { "/": 301 }, "::1": {} }, serves });
    assert.match(failures.join(), /^the redirect to HTTPS at \[::1\].*\n.*wanted 301, got 404/);
});

// --- Whom it trusts -----------------------------------------------------------------------------------------------

test("a certificate from a CA that nobody trusts fails", async () => {
    const { failures } = await verdict({ addresses: { "127.0.0.1": {} }, expected: { authorities: [] } });
    assert.match(failures.join(), /unable to verify|self-signed certificate in certificate chain/);
});

test("the CAs of NODE_EXTRA_CA_CERTS and of the system's own list are trusted", async () => {
    for (const variable of ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"]) {
        process.env[variable] = ca.file;
        const { failures } = await verdict({ addresses: { "127.0.0.1": {} }, expected: { authorities: [] } });
        delete process.env[variable];
        assert.deepEqual(failures, [], variable);
    }
});

test("of a staging server's certificate names and dates alone count, and that is said", async () => {
    const staging = { authorities: [], trusted: false };
    const addresses = { "127.0.0.1": {} };
    const { failures, holds } = await verdict({ addresses, expected: staging });
    assert.deepEqual(failures, []);
    assert.match(holds.join("\n"), /whether its CA is trusted was not asked/);
    for (const [wrong, reason] of [
        [ca.issue("other.example.org"), /altnames: Host: matrix\.example\.org\. is not in/],
        [ca.issueEnded(HOST), /its certificate ended on 2020-02-01/],
    ] as const) {
        const { failures } = await verdict({ addresses, expected: staging, pair: wrong });
        assert.match(failures.join(), reason);
    }
});

test("a server that is reached by an address needs a certificate for that address, wherever it is asked", async () => {
    const own = ca.issue("192.0.2.7");
    const expected = { publicHost: "192.0.2.7", proxied: false };
    const { failures } = await verdict({ addresses: { "127.0.0.1": {} }, expected, pair: own });
    assert.deepEqual(failures, []);
});
