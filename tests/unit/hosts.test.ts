import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
    authority,
    isAddress,
    isCertificateName,
    isLoopback,
    isPublicName,
    isServerName,
    withoutBrackets,
} from "../../hosts.ts";
import { invalidHost, NO_HOSTS } from "../support/hosts.ts";

test("nothing but names of Matrix's grammar, in lower case and without a port, is a server name", () => {
    fc.assert(
        fc.property(invalidHost, (host) => assert.equal(isServerName(host), false)),
        { examples: NO_HOSTS.map((host) => [host]) },
    );
});

test("a name has at most 230 characters, and its labels 63", () => {
    const name = (length: number) => `${"a.".repeat(200)}`.slice(0, length - 1).concat("b");
    assert.equal(isServerName(name(229)), true);
    assert.equal(isServerName(name(231)), false);
    assert.equal(isServerName("a".repeat(63)), true);
    assert.equal(isServerName("a".repeat(64)), false);
});

test("a public CA certifies addresses and names with a dot", () => {
    for (const name of ["example.org", "192.0.2.1", "[2001:db8::1]"])
        assert.equal(isCertificateName(name), true, name);
    for (const name of ["localhost", "*.example.org", "Example.org", "2001:db8::1", "a.org:443"])
        assert.equal(isCertificateName(name), false, name);
});

test("the world's DNS knows neither addresses nor names that are reserved for other uses", () => {
    for (const name of ["localhost", "matrix.test", "a.local", "10.0.0.1", "[::1]", "nas", "a.home.arpa"])
        assert.equal(isPublicName(name), false, name);
    for (const name of ["example.org", "a.test.org", "mylocal.net"])
        assert.equal(isPublicName(name), true, name);
});

test("an IPv6 address has brackets beside a port, and none elsewhere", () => {
    assert.equal(withoutBrackets("[2001:db8::1]"), "2001:db8::1");
    for (const host of ["2001:db8::1", "192.0.2.1", "example.org"]) assert.equal(withoutBrackets(host), host);
    assert.equal(authority("2001:db8::1", 443), "[2001:db8::1]:443");
    assert.equal(authority("192.0.2.1", "<port>"), "192.0.2.1:<port>");
});

test("an address is one with and without brackets", () => {
    for (const host of ["192.0.2.1", "[::1]", "::1"]) assert.equal(isAddress(host), true, host);
    for (const host of ["1.2.3.456", "[]", "example.org", ""]) assert.equal(isAddress(host), false, host);
});

test("the machine itself is reached by its loopback addresses and by localhost", () => {
    for (const host of ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
        assert.equal(isLoopback(host), true, host);
    for (const host of ["10.0.0.1", "0.0.0.0", "::", "localhost.example.org"])
        assert.equal(isLoopback(host), false, host);
});
