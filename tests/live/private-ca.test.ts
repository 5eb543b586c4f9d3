import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { after, test } from "node:test";
import { alternativeNames, nameConstraints, subjects } from "../../components/certificates/private-ca.ts";
import { withFunctions } from "../../components/certificates/shared.ts";
import { docker, images } from "../support/homeserver.ts";

/** The private CA's own script in nginx's image, as a deployment runs it, on volumes of its own. */

const volumes = ["ca", "certificates"].map((use) => `private-ca-test-${process.pid}-${use}`);
const mounts = volumes.map((volume) => `--volume=${volume}:/${volume.split("-").at(-1)}`);
const ISSUE = withFunctions("issue.sh", "lock.sh", "install-pair.sh");

after(() => docker("volume", "rm", "--force", ...volumes));

type Names = readonly [string, ...string[]];

function run(names: Names, script: string, renewal = "no"): Promise<string> {
    const { ca, server } = subjects(names[0], names[1] ?? names[0]);
    const environment = {
        NAMES: alternativeNames(names),
        CONSTRAINTS: nameConstraints(names),
        CA_SUBJECT: ca,
        SUBJECT: server,
        OWNER: "101:101",
        RENEWAL: renewal,
    };
    return docker(
        ...["run", "--rm", "--network=none", "--read-only", "--cap-drop=ALL", "--cap-add=CHOWN"],
        ...["--tmpfs=/tmp", ...mounts],
        ...Object.entries(environment).map(([key, value]) => `--env=${key}=${value}`),
        ...["--entrypoint=/bin/sh", images.nginx ?? "", "-euc", script],
    );
}

const issue = (names: Names, renewal?: string) => run(names, ISSUE, renewal);
const current = async (names: Names) =>
    new X509Certificate(await run(names, "cat /certificates/current/fullchain.pem"));

/** What openssl says of a certificate for something else from the CA of these names. */
const forged = (names: Names, alternative: string) =>
    run(
        names,
        `exec 2>&1
        cd /tmp
        ca=/ca/$(printf %s "$CONSTRAINTS" | sha256sum | cut -c 1-12)
        openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=a forger" -keyout key -out csr
        echo subjectAltName=${alternative} >extensions
        openssl x509 -req -in csr -CA $ca/ca.pem -CAkey $ca/ca.key -days 9 -extfile extensions -out forged
        openssl verify -CAfile $ca/ca.pem forged || true`,
    );

for (const [names, own, others] of [
    [
        ["matrix.example.org", "example.org"],
        ["DNS:example.org", "DNS:matrix.example.org"],
        ["DNS:example.com", "DNS:org", "IP:192.0.2.1", "IP:2001:db8::1", "DNS:matrix.example.org,DNS:a.test"],
    ],
    [
        ["192.0.2.1", "[2001:db8::1]"],
        ["IP:192.0.2.1", "IP:2001:db8::1"],
        ["IP:192.0.2.2", "IP:2001:db8::2", "DNS:example.com", "DNS:localhost"],
    ],
] as const) {
    test(`the CA of ${names.join(" and ")} can certify them and nothing else`, async () => {
        await issue(names);
        for (const alternative of own) assert.match(await forged(names, alternative), /forged: OK/);
        for (const alternative of others)
            assert.match(await forged(names, alternative), /subtree violation/, alternative);
    });
}

test("the certificate and its CA keep to RFC 5280's letter, and say whose they are", async () => {
    const names: Names = ["matrix.example.org", "example.org"];
    const ca = new X509Certificate(await issue(names));
    const strict =
        "cat >/tmp/ca.pem; openssl verify -x509_strict -purpose sslserver -verify_hostname example.org -CAfile /tmp/ca.pem /certificates/current/fullchain.pem";
    const verified = await run(names, `printf '%s' '${ca.toString()}' | { ${strict}; }`);
    assert.match(verified, /: OK/);
    assert.equal(ca.subject, "O=Matrix homeserver example.org\nCN=Private CA of matrix.example.org");
    const server = await current(names);
    assert.equal(
        server.subject,
        "O=Matrix homeserver example.org\nCN=Matrix homeserver at matrix.example.org",
    );
    assert.equal(server.subjectAltName, "DNS:example.org, DNS:matrix.example.org");
    const days = (Date.parse(server.validTo) - Date.now()) / 86_400_000;
    assert.ok(days > 89 && days < 91, String(days));
});

test("the same names find the same CA again and leave its certificate; other names get another CA", async () => {
    const [first, second]: Names[] = [["a.example.org"], ["b.example.org"]];
    assert.ok(first && second);
    const ca = await issue(first);
    const { serialNumber } = await current(first);
    assert.equal(await issue(first), ca);
    assert.equal((await current(first)).serialNumber, serialNumber);
    assert.notEqual(await issue(second), ca);
    assert.equal((await current(second)).subjectAltName, "DNS:b.example.org");
    assert.equal(await issue(first), ca);
});

test("a renewal leaves the certificate of another deployment's CA alone", async () => {
    await issue(["new.example.org"]);
    assert.equal(await issue(["old.example.org"], "yes"), "");
    assert.equal((await current(["new.example.org"])).subjectAltName, "DNS:new.example.org");
});

test("a CA from before there were constraints loses its key", async () => {
    await run(["example.org"], "echo key >/ca/ca.key; echo certificate >/ca/ca.pem");
    await issue(["constrained.example.org"]);
    assert.doesNotMatch(await run(["example.org"], "ls /ca"), /\.(key|pem)/);
});
