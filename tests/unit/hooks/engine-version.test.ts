import assert from "node:assert/strict";
import { test } from "node:test";
import { engineVersion, loopbackWarningOf } from "../../../components/docker/engine-version.ts";
import { ipv6RefusalOf, uniqueLocalSubnet } from "../../../components/docker/network.ts";
import { FakeDocker } from "../../support/fake-docker.ts";

test("an engine that gives IPv6 clients one address is refused, unless its owner says that it does not", () => {
    for (const [version, ip6tables, refused] of [
        [20, false, true],
        [26, false, true],
        [27, false, false],
        [29, false, false],
        [20, true, false],
    ] as const) {
        const refusal = ipv6RefusalOf(version, ip6tables);
        assert.equal(refusal !== undefined, refused, String(version));
        if (refused)
            assert.match(refusal ?? "", /lock everybody out\. Nothing was touched\. .*synapse:ip6tables/);
    }
});

test("a stack's IPv6 subnet is always the same, and another stack's is another", () => {
    assert.equal(uniqueLocalSubnet("synapse"), uniqueLocalSubnet("synapse"));
    assert.notEqual(uniqueLocalSubnet("synapse"), uniqueLocalSubnet("synapse-dev"));
    assert.match(uniqueLocalSubnet("synapse"), /^fd[0-9a-f]{2}(:[0-9a-f]{4}){3}::\/64$/);
});

test("an engine before 28 is said to let the network segment reach the loopback address", () => {
    assert.match(loopbackWarningOf(27) ?? "", /Docker 27 lets .*ports\.synapse to off/);
    assert.equal(loopbackWarningOf(28), undefined);
});

test("an engine's version is what the docker client says, and none where nobody answers", async (t) => {
    const docker = new FakeDocker();
    t.after(() => docker.remove());
    docker.runs("echo 20.10.24+dfsg1");
    assert.equal(await engineVersion({}), 20);
    docker.runs("exit 1");
    assert.equal(await engineVersion({}), undefined);
});
