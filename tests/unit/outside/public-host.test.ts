import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { look, lookOutside } from "../../../components/verification/outside.ts";
import { DNS_VARIABLE, type World } from "../../../components/verification/world.ts";
import { isPublicName } from "../../../hosts.ts";
import { FakeDns } from "../../support/fake-dns.ts";
import {
    EXPECTED,
    FakeInternet,
    HOST,
    NAME,
    OTHER,
    PREVIEW,
    SELF,
    SITE,
    WELL,
    warning,
} from "../../support/fake-internet.ts";
import { keyDocument } from "../../support/fake-server.ts";

const internet = await FakeInternet.start();
after(() => internet.stop());
beforeEach(() => internet.forget());

test("nothing is said of a server whose names lead to it", async () => {
    assert.deepEqual(await look(EXPECTED, internet.given(WELL)), []);
    assert.ok(
        internet.asked.includes(`${HOST}:8448 /_matrix/key/v2/server at ${SELF}:8448`),
        internet.asked.join("\n"),
    );
    assert.deepEqual(await look(PREVIEW, internet.given(WELL)), []);
});

test("a host without a DNS record is named, with the record to make, in a preview too", async () => {
    for (const expected of [EXPECTED, PREVIEW]) {
        const warnings = await look(expected, internet.given({ ...WELL, zone: { [NAME]: [SITE] } }));
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
    const nowhere = await look(behind, internet.given({ ...WELL, zone: { [NAME]: [SITE] } }));
    const missing = warning(nowhere, `${HOST}: the name leads nowhere`);
    assert.equal(missing.fix, `make the DNS record  ${HOST}. A <IPv4 address of your proxy>`);
    const refused = await look(
        behind,
        internet.given({ ...WELL, homeserver: { "/_matrix/client/versions": 502 } }),
    );
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
    const warnings = await look(EXPECTED, internet.given({ ...WELL, zone }));
    assert.equal(warnings.length, 2, warnings.join("\n"));
    const { got = "", fix = "" } = warning(warnings, `${HOST}: whoever is led to ${OTHER}`);
    assert.match(got, /^port 443: connect ECONNREFUSED.*; port 8448: Hostname\/IP does not match/);
    assert.match(fix, /correct the DNS record {2}matrix\.example\.org\. A 192\.0\.2\.1/);
});

test("a server with another key at the right address is another server", async () => {
    const document = { "/_matrix/key/v2/server": keyDocument(NAME, "other") };
    const warnings = await look(EXPECTED, internet.given({ ...WELL, homeserver: document }));
    assert.match(warning(warnings, HOST).got ?? "", /^port 8448: another server; wanted example\.org with/);
});

test("an AAAA record of a stack that publishes IPv4 alone is named in a preview already", async () => {
    const zone = { ...WELL.zone, [HOST]: [SELF, "2001:db8::1"] };
    const [text = "", ...more] = await look(PREVIEW, internet.given({ ...WELL, zone }));
    assert.deepEqual(more, []);
    assert.match(text, /fix: +remove the DNS record {2}matrix\.example\.org\. AAAA 2001:db8::1/);
    assert.deepEqual(await look({ ...PREVIEW, publishesIpv6: true }, internet.given({ ...WELL, zone })), []);
});

test("an address that this machine has no way to says nothing", async () => {
    const world = internet.given({ ...WELL, zone: { ...WELL.zone, [HOST]: [SELF, "2001:db8::1"] } });
    const unreachable = () => {
        const cause = Object.assign(new Error("connect ENETUNREACH"), { code: "ENETUNREACH" });
        return Promise.reject(new Error(cause.message, { cause }));
    };
    const get: World["get"] = (request) =>
        request.address.includes(":") ? unreachable() : world.get(request);
    assert.deepEqual(await look(EXPECTED, { ...world, get }), []);
});

test("addresses, and names that the world's DNS does not have, are not asked for", async () => {
    for (const name of ["localhost", "matrix.test", "a.local", "10.0.0.1", "[::1]", "nas", "a.home.arpa"]) {
        assert.equal(isPublicName(name), false, name);
        const expected = { ...EXPECTED, serverName: name, publicHost: name };
        assert.deepEqual(await look(expected, internet.given(WELL)), []);
    }
    assert.deepEqual([internet.asked, internet.dns.asked], [[], []]);
    for (const name of ["example.org", "a.test.org", "mylocal.net"])
        assert.equal(isPublicName(name), true, name);
});

test("a DNS that does not answer is said once for each name, in little time", async () => {
    const silent = await FakeDns.start({});
    silent.silence();
    process.env[DNS_VARIABLE] = silent.address;
    const begun = Date.now();
    const warnings = await lookOutside(PREVIEW, 1000);
    process.env[DNS_VARIABLE] = internet.dns.address;
    silent.stop();
    assert.ok(Date.now() - begun < 2000, `${Date.now() - begun} ms`);
    assert.equal(warnings.length, 2, warnings.join("\n"));
    assert.equal(warning(warnings, `${HOST}: the DNS gave no answer`).got, "no answer in time");
    assert.equal(warning(warnings, `${NAME}: the DNS gave no answer`).got, "no answer in time");
});
