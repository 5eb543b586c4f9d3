import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { look } from "../../../components/verification/outside.ts";
import type { World } from "../../../components/verification/world.ts";
import {
    CLIENT_FILE,
    EXPECTED,
    FakeInternet,
    FILES,
    HOST,
    KEY,
    NAME,
    OTHER,
    PREVIEW,
    SELF,
    SERVER_FILE,
    SITE,
    WELL,
    warning,
} from "../../support/fake-internet.ts";
import { keyDocument } from "../../support/fake-server.ts";

const internet = await FakeInternet.start();
after(() => internet.stop());
beforeEach(() => internet.forget());

const SRV = { target: "srv.example.org", port: 7000 };

test("without a delegation other servers find nothing, and both files are given", async () => {
    for (const [expected, found] of [
        [EXPECTED, /^404; 192\.0\.2\.2:8448: connect/],
        [PREVIEW, /^404$/],
    ] as const) {
        const warnings = await look(expected, internet.given({ ...WELL, site: {} }));
        assert.equal(warnings.length, 2, warnings.join("\n"));
        const servers = warning(warnings, `${NAME}: other servers do not find this server`);
        assert.equal(servers.asked, `https://${NAME}/.well-known/matrix/server, then ${NAME}:8448`);
        assert.match(servers.got ?? "", found);
        assert.equal(servers.wanted, SERVER_FILE);
        assert.ok(
            servers.fix?.includes(
                `serve the file /.well-known/matrix/server with the content ${SERVER_FILE}`,
            ),
            servers.fix ?? "",
        );
        const clients = warning(warnings, `${NAME}: clients that are told this name alone`);
        assert.equal(clients.got, "404");
        assert.ok(clients.fix?.includes(CLIENT_FILE), clients.fix ?? "");
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
            internet.given({ ...WELL, site: { ...FILES, "/.well-known/matrix/server": file } }),
        );
        assert.equal(warnings.length, 1, warnings.join("\n"));
        assert.match(warning(warnings, NAME).got ?? "", got);
    });
}

test("a delegation on a site whose certificate is for another name counts for nothing", async () => {
    const zone = { [HOST]: [SELF], [NAME]: [SELF] };
    const warnings = await look(EXPECTED, internet.given({ zone }));
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
    assert.deepEqual(await look(PREVIEW, internet.given({ zone: { [HOST]: [SELF], [NAME]: [SELF] } })), []);
    assert.deepEqual(internet.asked, []);
});

test("an SRV record that leads to the server is as good as a file, for servers", async () => {
    const zone = {
        [HOST]: [SELF],
        [`_matrix-fed._tcp.${NAME}`]: SRV,
        "srv.example.org": [OTHER],
        [NAME]: [SITE],
    };
    const client = { "/.well-known/matrix/client": CLIENT_FILE };
    assert.deepEqual(await look(EXPECTED, internet.given({ zone, other: KEY, site: client })), []);
    assert.deepEqual(await look(PREVIEW, internet.given({ zone, other: KEY, site: client })), []);
    const wrong = { "/_matrix/key/v2/server": keyDocument(NAME, "other") };
    const warnings = await look(EXPECTED, internet.given({ zone, other: wrong, site: client }));
    assert.match(
        warning(warnings, NAME).asked ?? "",
        /then srv\.example\.org:7000, by the SRV record _matrix-fed/,
    );
});

test("a file that web clients may not read is as good as none", async () => {
    const world = internet.given(WELL);
    const get: World["get"] = async (request) => ({ ...(await world.get(request)), headers: {} });
    const warnings = await look(EXPECTED, { ...world, get });
    assert.match(warning(warnings, `${NAME}: clients`).got ?? "", /Access-Control-Allow-Origin/);
});

test("a server that is reached by its own name needs neither another's files nor another's DNS", async () => {
    const expected = { ...EXPECTED, serverName: HOST };
    const document = { "/_matrix/key/v2/server": keyDocument(HOST) };
    assert.deepEqual(
        await look(expected, internet.given({ zone: { [HOST]: [SELF] }, homeserver: document })),
        [],
    );
    const { verifyKey: __, ...preview } = expected;
    assert.deepEqual(await look(preview, internet.given({ zone: { [HOST]: [SELF] } })), []);
    // One cause is said once.
    assert.equal((await look(expected, internet.given({ zone: {} }))).length, 1);
});

test("of a server without federation nothing is asked that other servers would ask", async () => {
    const expected = { ...EXPECTED, federationAddress: undefined, federationPort: undefined };
    const site = { "/.well-known/matrix/client": CLIENT_FILE };
    assert.deepEqual(await look(expected, internet.given({ ...WELL, site })), []);
    assert.doesNotMatch(internet.asked.join("\n"), /8448|matrix\/server/);
    assert.doesNotMatch(internet.dns.asked.join("\n"), /SRV/);
});
