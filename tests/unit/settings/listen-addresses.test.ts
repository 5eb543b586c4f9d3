import assert from "node:assert/strict";
import { test } from "node:test";
import { assertOneFault, faultsIn, LEAST, read, refusal, testRefused } from "../../support/settings.ts";

testRefused(["listenAddresses.synapse", [[]], "at least one address"]);

test("a name is no address to publish on", () => {
    assertOneFault({ ...LEAST, listenAddresses: { public: ["localhost"] } }, "listenAddresses.public[0]", {
        got: '"localhost"',
        wanted: "an IPv4 or IPv6 address of the Docker host, e.g. 127.0.0.1 or ::",
        fix: "pulumi config set --path 'synapse:listenAddresses.public[0]' <value>",
    });
});

test("IPv6 is published only where the network has it, since all clients would have one address", () => {
    assert.ok(read({ ...LEAST, listenAddresses: { public: ["::1"] } }), "the host itself is but one client");
    const { "listenAddresses.synapse[0]": own } = faultsIn(
        refusal({ ...LEAST, listenAddresses: { synapse: ["::"] } }),
    );
    assert.match(own?.wanted ?? "", /^an IPv4 address/);
    for (const address of ["::", "2001:db8::1"]) {
        const listenAddresses = { public: ["0.0.0.0", address] };
        const { "listenAddresses.public[1]": fault } = faultsIn(refusal({ ...LEAST, listenAddresses }));
        assert.match(fault?.wanted ?? "", /a few failed logins of one lock everybody out/);
        assert.match(fault?.fix ?? "", /ipv6 true/);
        const { public: published } = read({ ...LEAST, ipv6: true, listenAddresses }).listenAddresses;
        assert.deepEqual(published, listenAddresses.public);
    }
});
