import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { refusalOf, versionOf } from "../../components/synapse/guard.ts";

for (const [image, version] of [
    ["ghcr.io/element-hq/synapse:v1.163.2", [1, 163, 2]],
    ["matrixdotorg/synapse:1.163.2", [1, 163, 2]],
    ["synapse:v1.163.2rc1", [1, 163, 2]],
    ["synapse-docker/synapse:1.163.2-0123456789ab", [1, 163, 2]],
    ["localhost:5000/synapse:v1.9.10", [1, 9, 10]],
    [`synapse:v1.163.2@sha256:${"0".repeat(64)}`, [1, 163, 2]],
    [`synapse@sha256:${"1.2.3"}`, undefined],
    ["localhost:5000/synapse", undefined],
    ["127.0.0.1:1.2.3/synapse", undefined],
    ["synapse:latest", undefined],
    ["synapse:v1.163", undefined],
    ["synapse", undefined],
] as const) {
    test(`${image} is version ${version?.join(".") ?? "unknown"}`, () => {
        assert.deepEqual(versionOf(image), version);
    });
}

const server = (image: string, serverName = "example.org") => ({
    serverName,
    image: /[:@/]/.test(image) ? image : `synapse:${image}`,
});

for (const [before, after] of [
    ["v1.163.2", "v1.163.2"],
    ["v1.163.2", "v1.163.3"],
    ["v1.9.0", "v1.10.0"],
    ["v1.163.2", "v2.0.0"],
    ["v1.163.2", "latest"],
    ["latest", "v1.163.2"],
    ["v1.163.2", "1.163.2"],
    ["v1.163.2", "v1.163.2-0123456789ab"],
    ["ghcr.io/element-hq/synapse:v1.163.2", "matrixdotorg/synapse:v1.163.2"],
] as const) {
    test(`Synapse may go from ${before} to ${after}`, () => {
        assert.equal(refusalOf(server(before), server(after)), undefined);
    });
}

for (const [before, after] of [
    ["v1.163.2", "v1.163.1"],
    ["v1.10.0", "v1.9.9"],
    ["v2.0.0", "v1.999.999"],
    ["ghcr.io/element-hq/synapse:v1.163.2", "matrixdotorg/synapse:v1.162.0"],
] as const) {
    test(`Synapse may not go back from ${before} to ${after}`, () => {
        const refused = refusalOf(server(before), server(after)) ?? "";
        assert.match(refused, /^synapse:images\.synapse goes back from [0-9.]+ to [0-9.]+,/);
        assert.match(refused, /Set it to [0-9.]+ or newer, or restore a backup/);
    });
}

test("of two versions, one change is refused and the other is not", () => {
    const version = fc.tuple(fc.nat(20), fc.nat(200), fc.nat(20)).map((parts) => `v${parts.join(".")}`);
    fc.assert(
        fc.property(version, version, (one, other) => {
            const directions = [refusalOf(server(one), server(other)), refusalOf(server(other), server(one))];
            const refused = directions.filter((refusal) => refusal !== undefined);
            assert.equal(refused.length, one === other ? 0 : 1);
        }),
    );
});

test("a server's name is for ever", () => {
    const refused = refusalOf(server("v1.1.1", "old.org"), server("v1.1.1", "new.org")) ?? "";
    assert.match(refused, /^synapse:serverName is old\.org for ever/);
    assert.match(refused, /Set it back, or make a new stack for new\.org\.$/);
    assert.match(refusalOf(server("v2.1.1", "old.org"), server("v1.1.1", "new.org")) ?? "", /serverName/);
});
