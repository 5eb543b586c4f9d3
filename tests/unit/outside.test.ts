import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import type { Answer } from "../../components/verification/client.ts";
import { discover } from "../../components/verification/discovery.ts";
import type { OutsideExpectations } from "../../components/verification/expectations.ts";
import { look, lookOutside } from "../../components/verification/outside.ts";
import { trustIn } from "../../components/verification/trust.ts";
import { DNS_VARIABLE, theWorld, type World } from "../../components/verification/world.ts";
import { FakeDns, type Zone } from "../support/fake-dns.ts";
import { type Answers, FakeServer, keyDocument, VERIFY_KEY } from "../support/fake-server.ts";
import { TestCa } from "../support/test-ca.ts";

const NAME = "example.org";
const HOST = "matrix.example.org";
const SELF = "127.0.0.1";
const VERSIONS = { "/_matrix/client/versions": '{"versions":["v1.11"]}' };
const KEY = { "/_matrix/key/v2/server": keyDocument(NAME) };
const SERVER_FILE = `{"m.server":"${HOST}:8448"}`;
const CLIENT_FILE = `{"m.homeserver":{"base_url":"https://${HOST}"}}`;
const FILES = { "/.well-known/matrix/server": SERVER_FILE, "/.well-known/matrix/client": CLIENT_FILE };

const ca = new TestCa();
const dns = await FakeDns.start({});
process.env[DNS_VARIABLE] = dns.address;

/** Who listens where on the internet of these tests: port → server. */
const homeserver = {
    443: await FakeServer.start({}, { pair: ca.issue(HOST) }),
    8448: await FakeServer.start({}, { pair: ca.issue(HOST) }),
};
const site = await FakeServer.start({}, { pair: ca.issue(NAME) });
const other = await FakeServer.start({}, { pair: ca.issue(NAME, "srv.example.org", "192.0.2.1") });
after(async () => {
    for (const server of [...Object.values(homeserver), site, other]) await server.stop();
    dns.stop();
    ca.remove();
});

const OTHER = "192.0.2.1";
const SITE = "192.0.2.2";

/** Everybody's addresses lead to this machine, where each has ports of its own. */
function portOf(address: string, port: number): number {
    if (address === SITE) return port === 443 ? site.port : 1;
    if (address === OTHER) return port === 8448 || port === 7000 ? other.port : 1;
    return port === 443 || port === 8448 ? homeserver[port].port : 1;
}

const trust = trustIn([ca.pem], true);
const asked: string[] = [];
function internet(): World {
    const world = theWorld(trust);
    const get = (request: Parameters<World["get"]>[0]): Promise<Answer> => {
        asked.push(`${request.host} ${request.path} at ${request.address}:${request.port}`);
        return world.get({ ...request, address: SELF, port: portOf(request.address, request.port) });
    };
    return { ...world, get };
}

const EXPECTED: OutsideExpectations = {
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
const { verifyKey: _, ...PREVIEW } = EXPECTED;

interface Internet {
    readonly zone: Zone;
    readonly site?: Answers;
    readonly other?: Answers;
    readonly homeserver?: Answers;
}

beforeEach(() => {
    asked.length = 0;
    dns.asked.length = 0;
});

function given({ zone, site: onSite = {}, other: onOther = {}, homeserver: own = {} }: Internet): World {
    dns.zone = zone;
    site.answers = onSite;
    other.answers = onOther;
    for (const server of Object.values(homeserver))
        server.answers = { ...VERSIONS, ...KEY, ...FILES, ...own };
    return internet();
}

const WELL: Internet = { zone: { [HOST]: [SELF], [NAME]: [SITE] }, site: FILES };

/** The warning that begins with these words, as its parts. */
function warning(warnings: readonly string[], subject: string): Record<string, string> {
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

// --- Discovery ----------------------------------------------------------------------------------------------------

const SRV = { target: "srv.example.org", port: 7000 };

for (const [how, internetGiven, destination, endpoint, tlsName] of [
    ["the delegation's port", WELL, `${HOST}:8448`, `${SELF}:8448`, HOST],
    [
        "the delegated name's SRV record",
        {
            ...WELL,
            zone: { ...WELL.zone, "srv.example.org": [OTHER], [`_matrix-fed._tcp.${HOST}`]: SRV },
            site: { "/.well-known/matrix/server": `{"m.server":"${HOST}"}` },
        },
        `srv.example.org:7000, by the SRV record _matrix-fed._tcp.${HOST}`,
        `${OTHER}:7000`,
        HOST,
    ],
    [
        "the delegated name's port 8448",
        { ...WELL, site: { "/.well-known/matrix/server": `{"m.server":"${HOST}"}` } },
        `${HOST}:8448`,
        `${SELF}:8448`,
        HOST,
    ],
    [
        "a delegated address",
        { ...WELL, site: { "/.well-known/matrix/server": '{"m.server":"192.0.2.1:7000"}' } },
        "192.0.2.1:7000",
        "192.0.2.1:7000",
        "192.0.2.1",
    ],
    [
        "a delegated IPv6 address",
        { ...WELL, site: { "/.well-known/matrix/server": '{"m.server":"[2001:db8::1]"}' } },
        "[2001:db8::1]:8448",
        "2001:db8::1:8448",
        "2001:db8::1",
    ],
    [
        "the newer SRV record before the older",
        {
            zone: {
                "srv.example.org": [OTHER],
                [`_matrix-fed._tcp.${NAME}`]: SRV,
                [`_matrix._tcp.${NAME}`]: { ...SRV, port: 1 },
            },
        },
        `srv.example.org:7000, by the SRV record _matrix-fed._tcp.${NAME}`,
        `${OTHER}:7000`,
        NAME,
    ],
    [
        "the older SRV record",
        { zone: { "srv.example.org": [OTHER], [`_matrix._tcp.${NAME}`]: SRV } },
        `srv.example.org:7000, by the SRV record _matrix._tcp.${NAME}`,
        `${OTHER}:7000`,
        NAME,
    ],
    ["port 8448 of the name itself", { zone: { [NAME]: [OTHER] } }, `${NAME}:8448`, `${OTHER}:8448`, NAME],
    [
        "port 8448 of the name itself, when the file is none",
        { zone: WELL.zone, site: { "/.well-known/matrix/server": "<html>" } },
        `${NAME}:8448`,
        `${SITE}:8448`,
        NAME,
    ],
] as const) {
    test(`another server follows ${how}`, async () => {
        const route = await discover(NAME, given(internetGiven));
        const [first] = route.endpoints;
        assert.deepEqual(
            [route.destination, `${first?.address}:${first?.port}`, route.tlsName],
            [destination, endpoint, tlsName],
        );
    });
}

test("redirects to the delegation are followed, and not for ever", async () => {
    // The site redirects to https://elsewhere/, whose every path redirects to itself.
    const zone = { ...WELL.zone, elsewhere: [SITE] };
    const route = await discover(
        NAME,
        given({ zone, site: { "/.well-known/matrix/server": 301, "/": 301 } }),
    );
    assert.match(route.fault ?? "", /Hostname\/IP does not match/);
});

// --- What is warned of --------------------------------------------------------------------------------------------

test("nothing is said of a server whose names lead to it", async () => {
    assert.deepEqual(await look(EXPECTED, given(WELL)), []);
    assert.ok(asked.includes(`${HOST}:8448 /_matrix/key/v2/server at ${SELF}:8448`), asked.join("\n"));
    assert.deepEqual(await look(PREVIEW, given(WELL)), []);
});

test("a host without a DNS record is named, with the record to make, in a preview too", async () => {
    for (const expected of [EXPECTED, PREVIEW]) {
        const warnings = await look(expected, given({ ...WELL, zone: { [NAME]: [SITE] } }));
        assert.deepEqual(warning(warnings, `${HOST}: the name leads nowhere`), {
            asked: `A and AAAA of ${HOST}`,
            got: "no such record",
            wanted: "the address of the Docker host",
            fix: `make the DNS record  ${HOST}. A <IPv4 address of the Docker host>`,
        });
    }
});

test("behind a proxy of the operator's it is the proxy that a name must lead to, and that must pass it on", async () => {
    const behind = {
        ...EXPECTED,
        federationPort: 443,
        federationAddress: `${HOST}:443`,
        behind: "127.0.0.1:8080",
    };
    const nowhere = await look(behind, given({ ...WELL, zone: { [NAME]: [SITE] } }));
    const missing = warning(nowhere, `${HOST}: the name leads nowhere`);
    assert.equal(missing.fix, `make the DNS record  ${HOST}. A <IPv4 address of your proxy>`);
    const refused = await look(behind, given({ ...WELL, homeserver: { "/_matrix/client/versions": 502 } }));
    const { got = "", fix = "" } = warning(refused, `${HOST}: whoever is led to ${SELF}`);
    assert.match(got, /^port 443: 502$/);
    assert.match(
        fix,
        /^if that is your proxy, let it pass all of \/_matrix.* on to http:\/\/127\.0\.0\.1:8080/,
    );
    assert.doesNotMatch(fix, /Docker host/);
});

test("a record that leads elsewhere is named, and so is each of several", async () => {
    const zone = { ...WELL.zone, [HOST]: [SELF, OTHER, SITE] };
    const warnings = await look(EXPECTED, given({ ...WELL, zone }));
    assert.equal(warnings.length, 2, warnings.join("\n"));
    const { got = "", fix = "" } = warning(warnings, `${HOST}: whoever is led to ${OTHER}`);
    assert.match(got, /^port 443: connect ECONNREFUSED.*; port 8448: Hostname\/IP does not match/);
    assert.match(fix, /correct the DNS record {2}matrix\.example\.org\. A 192\.0\.2\.1/);
});

test("a server with another key at the right address is another server", async () => {
    const document = { "/_matrix/key/v2/server": keyDocument(NAME, "other") };
    const warnings = await look(EXPECTED, given({ ...WELL, homeserver: document }));
    assert.match(warning(warnings, HOST).got ?? "", /^port 8448: another server; wanted example\.org with/);
});

test("an AAAA record of a stack that publishes IPv4 alone is named in a preview already", async () => {
    const zone = { ...WELL.zone, [HOST]: [SELF, "2001:db8::1"] };
    const [text = "", ...more] = await look(PREVIEW, given({ ...WELL, zone }));
    assert.deepEqual(more, []);
    assert.match(text, /fix: +remove the DNS record {2}matrix\.example\.org\. AAAA 2001:db8::1/);
    assert.deepEqual(await look({ ...PREVIEW, publishesIpv6: true }, given({ ...WELL, zone })), []);
});

test("an address that this machine has no way to says nothing", async () => {
    const world = given({ ...WELL, zone: { ...WELL.zone, [HOST]: [SELF, "2001:db8::1"] } });
    const unreachable = () => {
        const cause = Object.assign(new Error("connect ENETUNREACH"), { code: "ENETUNREACH" });
        return Promise.reject(new Error(cause.message, { cause }));
    };
    const get: World["get"] = (request) =>
        request.address.includes(":") ? unreachable() : world.get(request);
    assert.deepEqual(await look(EXPECTED, { ...world, get }), []);
});

test("without a delegation other servers find nothing, and both files are given", async () => {
    for (const [expected, found] of [
        [EXPECTED, /^404; 192\.0\.2\.2:8448: connect/],
        [PREVIEW, /^404$/],
    ] as const) {
        const warnings = await look(expected, given({ ...WELL, site: {} }));
        assert.equal(warnings.length, 2, warnings.join("\n"));
        const servers = warning(warnings, `${NAME}: other servers do not find this server`);
        assert.equal(servers.asked, `https://${NAME}/.well-known/matrix/server, then ${NAME}:8448`);
        assert.match(servers.got ?? "", found);
        assert.equal(servers.wanted, SERVER_FILE);
        assert.ok(
            servers.fix?.includes(
                `serve the file /.well-known/matrix/server with the content ${SERVER_FILE}`,
            ),
            servers.fix,
        );
        const clients = warning(warnings, `${NAME}: clients that are told this name alone`);
        assert.equal(clients.got, "404");
        assert.ok(clients.fix?.includes(CLIENT_FILE), clients.fix);
    }
});

for (const [what, file, got] of [
    ["elsewhere", '{"m.server":"elsewhere.org:443"}', /^it names elsewhere\.org:443/],
    ["nowhere", '{"m.server":7}', /^no m\.server that names a server: \{"m\.server":7\}/],
    ["to no JSON", "<html>", /^no JSON object: <html>/],
] as const) {
    test(`a delegation ${what} is quoted`, async () => {
        const warnings = await look(
            EXPECTED,
            given({ ...WELL, site: { ...FILES, "/.well-known/matrix/server": file } }),
        );
        assert.equal(warnings.length, 1, warnings.join("\n"));
        assert.match(warning(warnings, NAME).got ?? "", got);
    });
}

test("a delegation on a site whose certificate is for another name counts for nothing", async () => {
    const zone = { [HOST]: [SELF], [NAME]: [SELF] };
    const warnings = await look(EXPECTED, given({ zone }));
    assert.match(
        warning(warnings, `${NAME}: other servers`).got ?? "",
        /^Hostname\/IP does not match certificate/,
    );
    assert.match(
        warning(warnings, `${NAME}: clients`).fix ?? "",
        /add it to the certificate .*synapse:tls\.names/,
    );
});

test("a name that leads to the host too is not asked for files before the server runs", async () => {
    assert.deepEqual(await look(PREVIEW, given({ zone: { [HOST]: [SELF], [NAME]: [SELF] } })), []);
    assert.deepEqual(asked, []);
});

test("an SRV record that leads to the server is as good as a file, for servers", async () => {
    const zone = {
        [HOST]: [SELF],
        [`_matrix-fed._tcp.${NAME}`]: SRV,
        "srv.example.org": [OTHER],
        [NAME]: [SITE],
    };
    const client = { "/.well-known/matrix/client": CLIENT_FILE };
    assert.deepEqual(await look(EXPECTED, given({ zone, other: KEY, site: client })), []);
    assert.deepEqual(await look(PREVIEW, given({ zone, other: KEY, site: client })), []);
    const wrong = { "/_matrix/key/v2/server": keyDocument(NAME, "other") };
    const warnings = await look(EXPECTED, given({ zone, other: wrong, site: client }));
    assert.match(
        warning(warnings, NAME).asked ?? "",
        /then srv\.example\.org:7000, by the SRV record _matrix-fed/,
    );
});

test("a file that web clients may not read is as good as none", async () => {
    const world = given(WELL);
    const get: World["get"] = async (request) => ({ ...(await world.get(request)), headers: {} });
    const warnings = await look(EXPECTED, { ...world, get });
    assert.match(warning(warnings, `${NAME}: clients`).got ?? "", /Access-Control-Allow-Origin/);
});

test("a server that is reached by its own name needs neither another's files nor another's DNS", async () => {
    const expected = { ...EXPECTED, serverName: HOST };
    const document = { "/_matrix/key/v2/server": keyDocument(HOST) };
    assert.deepEqual(await look(expected, given({ zone: { [HOST]: [SELF] }, homeserver: document })), []);
    const { verifyKey: __, ...preview } = expected;
    assert.deepEqual(await look(preview, given({ zone: { [HOST]: [SELF] } })), []);
    // One cause is said once.
    assert.equal((await look(expected, given({ zone: {} }))).length, 1);
});

// --- Whom it asks at all ------------------------------------------------------------------------------------------

test("addresses, and names that the world's DNS does not have, are not asked for", async () => {
    for (const name of ["localhost", "matrix.test", "a.local", "10.0.0.1", "[::1]", "nas", "a.home.arpa"]) {
        const expected = { ...EXPECTED, serverName: name, publicHost: name };
        assert.deepEqual(await look(expected, given(WELL)), []);
    }
    assert.deepEqual([asked, dns.asked], [[], []]);
});

test("a DNS that does not answer is said once for each name, in little time", async () => {
    const silent = await FakeDns.start({});
    silent.silence();
    process.env[DNS_VARIABLE] = silent.address;
    const begun = Date.now();
    const warnings = await lookOutside(PREVIEW, 1000);
    process.env[DNS_VARIABLE] = dns.address;
    silent.stop();
    assert.ok(Date.now() - begun < 2000, `${Date.now() - begun} ms`);
    assert.equal(warnings.length, 2, warnings.join("\n"));
    assert.equal(warning(warnings, `${HOST}: the DNS gave no answer`).got, "no answer in time");
    assert.equal(warning(warnings, `${NAME}: the DNS gave no answer`).got, "no answer in time");
});

test("of a server without federation nothing is asked that other servers would ask", async () => {
    const expected = { ...EXPECTED, federationAddress: undefined, federationPort: undefined };
    const site = { "/.well-known/matrix/client": CLIENT_FILE };
    assert.deepEqual(await look(expected, given({ ...WELL, site })), []);
    assert.doesNotMatch(asked.join("\n"), /8448|matrix\/server/);
    assert.doesNotMatch(dns.asked.join("\n"), /SRV/);
});
