import assert from "node:assert/strict";
import { test } from "node:test";
import { alternativeNames, nameConstraints, subjects } from "../../components/certificates/private-ca.ts";

const NO_ADDRESS = "excluded;IP:0.0.0.0/0.0.0.0,excluded;IP:::/::";
const ALL_OF_6 = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

for (const [names, said, constraints] of [
    [["example.org"], "DNS:example.org", `permitted;DNS:example.org,${NO_ADDRESS}`],
    [
        ["matrix.example.org", "example.org"],
        "DNS:example.org,DNS:matrix.example.org",
        `permitted;DNS:example.org,permitted;DNS:matrix.example.org,${NO_ADDRESS}`,
    ],
    [["example.org", "example.org"], "DNS:example.org", `permitted;DNS:example.org,${NO_ADDRESS}`],
    [
        ["localhost", "127.0.0.1"],
        "DNS:localhost,IP:127.0.0.1",
        "permitted;DNS:localhost,permitted;IP:127.0.0.1/255.255.255.255",
    ],
    [["[2001:db8::1]"], "IP:2001:db8::1", `permitted;DNS:invalid,permitted;IP:2001:db8::1/${ALL_OF_6}`],
    [
        ["[::ffff:1.2.3.4]", "1.2.3.4"],
        "IP:1.2.3.4,IP:::ffff:1.2.3.4",
        `permitted;DNS:invalid,permitted;IP:1.2.3.4/255.255.255.255,permitted;IP:::ffff:1.2.3.4/${ALL_OF_6}`,
    ],
] as const) {
    test(`a certificate for ${names.join(" and ")} says ${said}, and its CA can certify nothing else`, () => {
        assert.equal(alternativeNames(names), said);
        assert.equal(nameConstraints(names), constraints);
    });
}

test("the order of the names does not make another CA", () => {
    assert.equal(
        nameConstraints(["a.example.org", "example.org"]),
        nameConstraints(["example.org", "a.example.org"]),
    );
});

test("the CA and its certificate say whose they are, in no more characters than X.509 allows", () => {
    assert.deepEqual(subjects("matrix.example.org", "example.org"), {
        ca: "/O=Matrix homeserver example.org/CN=Private CA of matrix.example.org",
        server: "/O=Matrix homeserver example.org/CN=Matrix homeserver at matrix.example.org",
    });
    const long = subjects(`${"a".repeat(60)}.example.org`, "example.org").server;
    assert.equal(/CN=(.*)/.exec(long)?.[1]?.length, 64);
});
