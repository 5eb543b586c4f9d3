import assert from "node:assert/strict";
import { test } from "node:test";
import { dnsRecords } from "../../components/homeserver/dns.ts";
import { listeners } from "../../components/homeserver/expectations.ts";
import { clientBaseUrl, clientPort, federationAddress } from "../../components/homeserver/places.ts";
import { topology } from "../../components/homeserver/topology.ts";
import { readSettings } from "../../settings/read.ts";
import type { Settings } from "../../settings/settings.ts";

function settings(more: Readonly<Record<string, unknown>>): Settings {
    const config = Object.entries({ serverName: "example.org", tls: { mode: "files" }, ...more }).map(
        ([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)],
    );
    return readSettings("prod", Object.fromEntries(config) as Record<string, string>, () => false);
}

/** A first look is for this machine alone. */
const namedFor = (mode: string) => (mode === "none" ? { serverName: "localhost" } : {});

for (const [mode, front, images, port, url] of [
    ["none", "none", ["synapse"], 8008, "http://localhost:8008"],
    ["synapse", "tls", ["synapse"], 8448, "https://example.org:8448"],
    ["files", "proxy", ["synapse", "nginx"], 443, "https://example.org"],
    ["local-ca", "proxy", ["synapse", "nginx"], 443, "https://example.org"],
] as const) {
    test(`with tls.mode ${mode}, clients connect to ${url}`, () => {
        const of = settings({ ...namedFor(mode), tls: { mode } });
        const place = topology(of);
        assert.equal(place.front, front);
        assert.deepEqual(Object.keys(place.images), [...images, "postgres"]);
        assert.equal(clientPort(place, of.ports), port);
        assert.equal(clientBaseUrl(place, of, port), url);
        assert.equal(clientBaseUrl(place, of, undefined), url, "the same while the port is not known");
        assert.equal(new URL(clientBaseUrl(place, of, 12345)).port, "12345");
    });
}

test("without TLS there is no certificate, and a private CA needs nothing", () => {
    const plain = topology(settings({ ...namedFor("none"), tls: { mode: "none" } }));
    assert.equal(plain.certificate, undefined);
    assert.equal(topology(settings({ tls: { mode: "local-ca" } })).certificate?.mode, "local-ca");
});

test("the certificate is where certbot keeps that of the public host", () => {
    for (const mode of ["files", "synapse"]) {
        const publicHost = "matrix.example.org";
        assert.deepEqual(topology(settings({ publicHost, tls: { mode } })).certificate, {
            mode: "host",
            directory: "/etc/letsencrypt",
            certificate: "live/matrix.example.org/fullchain.pem",
            privateKey: "live/matrix.example.org/privkey.pem",
        });
    }
});

test("Synapse's own certificate may be anywhere below the directory", () => {
    const tls = { mode: "synapse", directory: "/srv/tls", certificate: "a.pem", privateKey: "keys/a.key" };
    const { mode, ...where } = tls;
    assert.deepEqual(topology(settings({ tls })).certificate, { ...where, mode: "host" });
    assert.deepEqual(topology(settings({ tls: { ...tls, mode: "files" } })).certificate, {
        ...where,
        mode: "host",
    });
});

for (const [federation, place, address, ports] of [
    [{}, "apart", "example.org:8448", { https: 443, federation: 8448, http: 80, synapse: 8008 }],
    [{ port: 443 }, "with clients", "example.org:443", { https: 443, http: 80, synapse: 8008 }],
    [{ enabled: false }, "off", undefined, { https: 443, http: 80, synapse: 8008 }],
] as const) {
    test(`federation ${JSON.stringify(federation)} is ${place}: ${address}`, () => {
        const of = settings({ federation });
        assert.equal(topology(of).federation, place);
        assert.equal(federationAddress(topology(of), of, 443), address);
        const found = listeners(topology(of), of, ports);
        const serving = found.filter(({ serves }) => serves.includes("federation")).map(({ port }) => port);
        assert.deepEqual(serving, place === "off" ? [] : [place === "apart" ? 8448 : 443]);
        assert.deepEqual(found.map(({ port }) => port).sort(), Object.values(ports).sort());
    });
}

test("without nginx, servers come by the port of the clients or not at all", () => {
    for (const mode of ["none", "synapse"]) {
        const own = { ...namedFor(mode), tls: { mode } };
        const on = listeners(topology(settings(own)), settings(own), {});
        assert.deepEqual(on[0]?.serves, ["clients", "federation"]);
        const off = settings({ ...own, federation: { enabled: false } });
        assert.deepEqual(listeners(topology(off), off, {})[0]?.serves, ["clients"]);
        assert.equal(federationAddress(topology(off), off, 8448), undefined);
    }
});

test("the DNS records are those of the public host", () => {
    const [a, ...none] = dnsRecords(settings({}));
    assert.match(a ?? "", /^example\.org\. A /);
    assert.deepEqual(none, [], "IPv6 is not published");
    const both = settings({ ipv6: true, listenAddresses: { public: ["0.0.0.0", "::"] } });
    const [, aaaa, ...others] = dnsRecords(both);
    assert.match(aaaa ?? "", /^example\.org\. AAAA /);
    assert.deepEqual(others, []);
});

test("another public host needs a delegation of the server name", () => {
    const records = dnsRecords(settings({ publicHost: "matrix.example.org" }));
    assert.match(records[0] ?? "", /^matrix\.example\.org\. A /);
    assert.match(
        records[1] ?? "",
        /^example\.org\. .*\/\.well-known\/matrix\/server.* https:\/\/matrix\.example\.org /,
    );
});

test("an address and localhost need no DNS record", () => {
    for (const serverName of ["localhost", "chat.localhost", "192.0.2.1", "[2001:db8::1]"]) {
        assert.deepEqual(dnsRecords(settings({ serverName })), []);
    }
});

for (const [publicUrl, host, port, url] of [
    ["https://matrix.example.org", "matrix.example.org", 443, "https://matrix.example.org"],
    ["https://matrix.example.org:443/", "matrix.example.org", 443, "https://matrix.example.org"],
    ["https://[2001:db8::1]:8443", "[2001:db8::1]", 8443, "https://[2001:db8::1]:8443"],
] as const) {
    test(`behind a proxy at ${publicUrl}, clients and servers come to port ${port} of ${host}`, () => {
        const of = settings({ tls: { mode: "proxy", publicUrl } });
        assert.equal(of.publicHost, host);
        const place = topology(of);
        assert.equal(place.front, "proxy");
        assert.deepEqual(Object.keys(place.images), ["synapse", "nginx", "postgres"]);
        assert.equal(place.certificate, undefined);
        assert.equal(clientPort(place, of.ports), port);
        assert.equal(clientBaseUrl(place, of, port), url);
        assert.equal(place.federation, "with clients");
        assert.equal(federationAddress(place, of, port), `${host}:${port}`);
    });
}

test("whom to believe is the Docker host, or what the settings name", () => {
    const tls = { mode: "proxy", publicUrl: "https://matrix.example.org" };
    const trusted = (more: object) => topology(settings({ tls: { ...tls, ...more } })).outerProxy?.trusted;
    assert.deepEqual(trusted({}), { addresses: [], host: true });
    const named = { trustedProxies: ["10.0.0.5", "host", "fd00::/8"] };
    assert.deepEqual(trusted(named), { addresses: ["10.0.0.5", "fd00::/8"], host: true });
    assert.deepEqual(trusted({ trustedProxies: ["10.0.0.5"] }), { addresses: ["10.0.0.5"], host: false });
    assert.equal(topology(settings({})).outerProxy, undefined);
});

test("the private CA of a server on this machine certifies the addresses that it is reached by as well", () => {
    const { certificateNames } = topology(settings({ serverName: "localhost", tls: { mode: "local-ca" } }));
    assert.deepEqual(certificateNames, ["localhost", "localhost", "127.0.0.1", "[::1]"]);
    const elsewhere = topology(settings({ publicHost: "matrix.example.org", tls: { mode: "local-ca" } }));
    assert.deepEqual(elsewhere.certificateNames, ["matrix.example.org", "example.org"]);
});
