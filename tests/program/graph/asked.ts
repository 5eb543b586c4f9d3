import assert from "node:assert/strict";
import { test } from "node:test";
import { asked, registered } from "./looks.ts";
import { CA_BUNDLE, dual, ephemeral, loopback, type Run, runs, runsOfOtherCas, unnamed } from "./runs.ts";

test("a port that Docker picked is asked at the one address that it was picked for", () => {
    const [clients] = asked(ephemeral).listeners as unknown[];
    assert.deepEqual(clients, { serves: ["clients"], port: 32769, addresses: ["0.0.0.0"], tls: true });
});

test("certificates of Let's Encrypt's staging server alone need not be trusted, and the configured CAs are", () => {
    const [staging, other] = runsOfOtherCas;
    assert.equal(asked(runs.acme).trusted, true);
    assert.equal(asked(staging).trusted, false);
    assert.equal(asked(other).trusted, true);
    assert.deepEqual(asked(other).authorities, [CA_BUNDLE]);
    assert.deepEqual(asked(runs["local-ca"]).authorities, [runs["local-ca"].outputs.caCertificate]);
});

test("what the internet does for a server is looked at anew each time, and no command remembers it", () => {
    const [call, ...others] = runs.files.calls;
    assert.deepEqual(others, []);
    assert.equal(call?.command, "exec node components/verification/run-afterwards.ts");
    const { EXPECTATIONS, OUTSIDE = "" } = call.environment as Record<string, string>;
    assert.deepEqual(JSON.parse(EXPECTATIONS ?? ""), asked(runs.files));
    assert.deepEqual(JSON.parse(OUTSIDE), {
        serverName: "example.org",
        publicHost: "matrix.example.org",
        clientUrl: "https://matrix.example.org",
        federationAddress: "matrix.example.org:8448",
        proxied: true,
        trusted: true,
        authorities: [],
        wellKnown: { client: {}, server: {} },
        clientPort: 443,
        federationPort: 8448,
        publishesIpv6: false,
        verifyKey: "ed25519:a_Test verify-key",
    });
    assert.deepEqual(runs.files.outputs.warnings, []);
    assert.match(JSON.stringify(dual.calls), /publishesIpv6\\":true/);
});

test("nothing is asked of the internet for a server that is not on it", () => {
    for (const { calls } of [runs.none, ephemeral, loopback, unnamed]) {
        const [call, ...others] = calls;
        assert.deepEqual(others, []);
        assert.equal((call?.environment as Record<string, string> | undefined)?.OUTSIDE, "null");
    }
});

test("another container makes the server be asked again", () => {
    const changes = (run: Run) =>
        (registered(run, "verification-questions").inputs.environment as Record<string, string>).CHANGES;
    assert.equal(changes(runs.none)?.trim(), "homeserver-synapse-container-id");
    assert.match(
        changes(runs.files) ?? "",
        /^homeserver-synapse-container-id homeserver-nginx-container-id\/[0-9a-f]{12}$/,
    );
});
