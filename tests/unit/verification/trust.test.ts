import assert from "node:assert/strict";
import { after, test } from "node:test";
import { HOST, Verdicts } from "../../support/verdicts.ts";

const verdicts = new Verdicts();
after(() => verdicts.ca.remove());

test("a certificate from a CA that nobody trusts fails", async () => {
    const { failures } = await verdicts.of({ addresses: { "127.0.0.1": {} }, expected: { authorities: [] } });
    assert.match(failures.join(), /unable to verify|self-signed certificate in certificate chain/);
});

test("the CAs of NODE_EXTRA_CA_CERTS and of the system's own list are trusted", async () => {
    for (const variable of ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"]) {
        process.env[variable] = verdicts.ca.file;
        const { failures } = await verdicts.of({
            addresses: { "127.0.0.1": {} },
            expected: { authorities: [] },
        });
        delete process.env[variable];
        assert.deepEqual(failures, [], variable);
    }
});

test("of a staging server's certificate names and dates alone count, and that is said", async () => {
    const staging = { authorities: [], trusted: false };
    const addresses = { "127.0.0.1": {} };
    const { failures, holds } = await verdicts.of({ addresses, expected: staging });
    assert.deepEqual(failures, []);
    assert.match(holds.join("\n"), /whether its CA is trusted was not asked/);
    for (const [wrong, reason] of [
        [verdicts.ca.issue("other.example.org"), /altnames: Host: matrix\.example\.org\. is not in/],
        [verdicts.ca.issueEnded(HOST), /its certificate ended on 2020-02-01/],
    ] as const) {
        const { failures } = await verdicts.of({ addresses, expected: staging, pair: wrong });
        assert.match(failures.join(), reason);
    }
});

test("a server that is reached by an address needs a certificate for that address, wherever it is asked", async () => {
    const own = verdicts.ca.issue("192.0.2.7");
    const expected = { publicHost: "192.0.2.7", proxied: false };
    const { failures } = await verdicts.of({ addresses: { "127.0.0.1": {} }, expected, pair: own });
    assert.deepEqual(failures, []);
});
