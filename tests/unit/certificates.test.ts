import assert from "node:assert/strict";
import { test } from "node:test";
import { alternativeNames } from "../../components/certificates/local-ca.ts";

for (const [names, expected] of [
    [["example.org"], "DNS:example.org"],
    [["matrix.example.org", "example.org"], "DNS:matrix.example.org,DNS:example.org"],
    [["example.org", "example.org"], "DNS:example.org"],
    [["localhost", "127.0.0.1"], "DNS:localhost,IP:127.0.0.1"],
    [["[2001:db8::1]"], "IP:2001:db8::1"],
    [["[::ffff:1.2.3.4]", "1.2.3.4"], "IP:::ffff:1.2.3.4,IP:1.2.3.4"],
] as const) {
    test(`a certificate for ${names.join(" and ")} says ${expected}`, () => {
        assert.equal(alternativeNames(names), expected);
    });
}
