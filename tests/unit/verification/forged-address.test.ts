import assert from "node:assert/strict";
import { test } from "node:test";
import { ADDED_ADDRESS, believed, FORGED_ADDRESS } from "../../../components/verification/forged-address.ts";

const OWN = "172.18.0.1 - GET /_matrix/client/versions";
const ADDED = `${ADDED_ADDRESS} - GET /_matrix/client/versions`;
const FORGED = `${FORGED_ADDRESS} - GET /_matrix/client/versions`;

test("an address that a client says of itself must be believed of nobody", () => {
    for (const believesHost of [undefined, false, true]) {
        assert.throws(() => believed(FORGED, believesHost, true), /was believed: Synapse logged\n {2}203/);
    }
    assert.equal(believed(OWN, undefined, true), "a forged X-Forwarded-For is not believed");
});

test("the address that a proxy adds must be believed where there is one, and only there", () => {
    assert.throws(() => believed(ADDED, undefined, true), /a forged X-Forwarded-For was believed/);
    for (const believesHost of [false, true])
        assert.equal(believed(ADDED, believesHost, true), "a proxy's X-Forwarded-For is believed");
});

test("a proxy on the Docker host that is not believed fails with the setting, unless the question came from elsewhere", () => {
    assert.throws(() => believed(OWN, true, true), /synapse:tls\.trustedProxies:\n {2}172\.18\.0\.1/);
    for (const [believesHost, fromHost] of [
        [true, false],
        [false, true],
    ] as const)
        assert.equal(believed(OWN, believesHost, fromHost), "a forged X-Forwarded-For is not believed");
});
