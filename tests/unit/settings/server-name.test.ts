import assert from "node:assert/strict";
import { BlockList } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { clientBaseUrl } from "../../../addresses.ts";
import { invalidHost, NO_HOSTS, validHost } from "../../support/hosts.ts";
import { faultsIn, LEAST, read, refusal, testRefused } from "../../support/settings.ts";

testRefused(
    [
        "serverName",
        ["Example.org", "[2001:DB8::1]"],
        "the name in lower case: servers compare names byte by byte",
    ],
    [
        "serverName",
        ["https://a", "under_score", "::1", "1.2.3.456"],
        "a DNS name, an IPv4 address or an IPv6 address in brackets, e.g. example.org",
    ],
    [
        "publicHost",
        ["a.org:443", "[fe80::1%eth0]"],
        "a host name, in lower case and without a port, e.g. matrix.example.org",
    ],
);

test("a server name that is left out is asked for", () => {
    assert.deepEqual(faultsIn(refusal({ tls: LEAST.tls })), {
        serverName: {
            got: "nothing",
            wanted: "a Matrix server name, e.g. example.org",
            fix: "pulumi config set synapse:serverName <value>",
        },
    });
});

test("a server name with a port is refused with the reason", () => {
    for (const serverName of ["example.org:8448", "1.2.3.4:443", "[::1]:8448"]) {
        const { serverName: fault } = faultsIn(refusal({ ...LEAST, serverName }));
        assert.match(fault?.wanted ?? "", /without a port: .* for ever, and \.well-known does/);
    }
});

test("every name of Matrix's grammar is a server name, without a port and in lower case", () => {
    fc.assert(
        fc.property(validHost, (host) => {
            assert.equal(read({ ...LEAST, serverName: host }).serverName, host);
            assert.equal(read({ ...LEAST, publicHost: host }).publicHost, host);
        }),
        {
            examples: [
                ["localhost"],
                ["a"],
                ["xn--bcher-kva.de"],
                ["[::1]"],
                ["[::ffff:1.2.3.4]"],
                ["3com.com"],
            ],
        },
    );
});

test("nothing else is a server name or a public host", () => {
    fc.assert(
        fc.property(
            invalidHost.filter((host) => host !== ""),
            (host) => {
                assert.ok("serverName" in faultsIn(refusal({ ...LEAST, serverName: host })));
                assert.ok("publicHost" in faultsIn(refusal({ ...LEAST, publicHost: host })));
            },
        ),
        { examples: NO_HOSTS.filter((host) => host !== "").map((host) => [host]) },
    );
});

test("the public URL of every host that is accepted leads to that host", () => {
    const modes = ["none", "synapse", "files", "local-ca"].map(
        (mode) => read({ serverName: "localhost", tls: { mode } }).tls,
    );
    const port = fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined });
    fc.assert(
        fc.property(validHost, fc.constantFrom(...modes), port, (publicHost, tls, clientPort) => {
            const { hostname, pathname, search } = new URL(clientBaseUrl({ publicHost, tls }, clientPort));
            assert.deepEqual([pathname, search], ["/", ""]);
            if (publicHost.startsWith("[")) assert.ok(isSameAddress(hostname, publicHost));
            else assert.equal(hostname, publicHost);
        }),
    );
});

/** IPv6 addresses have many notations. */
function isSameAddress(one: string, other: string): boolean {
    const addresses = new BlockList();
    addresses.addAddress(one.slice(1, -1), "ipv6");
    return addresses.check(other.slice(1, -1), "ipv6");
}
