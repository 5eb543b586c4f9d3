import assert from "node:assert/strict";
import { test } from "node:test";
import { createRequest, readContainer } from "../../../engine/container.ts";
import { digest } from "../../../engine/inputs.ts";
import { Secrets, wrapSecret } from "../../../engine/secrets.ts";

const container = (more: Record<string, unknown>) => readContainer({ name: "it", image: "image", ...more });

test("a digest does not depend on the order of keys, but on everything else", () => {
    assert.equal(digest({ a: 1, b: { c: 2, d: [3] } }), digest({ b: { d: [3], c: 2 }, a: 1 }));
    assert.notEqual(digest({ a: [1, 2] }), digest({ a: [2, 1] }));
    assert.notEqual(digest({ a: 1 }, "one key"), digest({ a: 1 }, "another"));
});

test("an argument the engine does not know is refused, at every depth", () => {
    const unknown = [
        { devices: [{ hostPath: "/dev/kvm" }] },
        { attach: true },
        { mounts: [{ type: "volume", source: "a", target: "/a", volumeOptions: { noCopy: true } }] },
        { networksAdvanced: [{ name: "a", gwPriority: 1 }] },
        { uploads: [{ file: "/a", source: "/b" }] },
        { healthcheck: { tests: ["NONE"], novel: 1 } },
    ];
    for (const args of unknown) assert.throws(() => container(args), /the embedded engine does not know/);
});

test("what Docker or the real provider could not do is refused before anything is made", () => {
    const upload = { file: "/a", content: "a" };
    assert.throws(() => container({ readOnly: true, uploads: [upload] }), /read-only root/);
    assert.throws(() => container({ uploads: [{ file: "/a", content: "" }] }), /\/a needs content/);
    assert.throws(() => container({ networkMode: "host", networksAdvanced: [{ name: "a" }] }), /exclude/);
    assert.throws(() => container({ healthcheck: { interval: "soon" } }), /not a duration/);
});

test("arguments become Docker's own", () => {
    const request = createRequest(
        container({
            memory: 64,
            memorySwap: -1,
            cpus: "1.5",
            healthcheck: { tests: ["CMD", "true"], interval: "1m30s", timeout: "500ms" },
            ports: [
                { internal: 80, ip: "127.0.0.1" },
                { internal: 80, external: 8080 },
            ],
            networksAdvanced: [{ name: "one", aliases: ["a"] }, { name: "two" }],
        }),
    );
    assert.deepEqual(
        [request.HostConfig.Memory, request.HostConfig.MemorySwap, request.HostConfig.NanoCpus],
        [67_108_864, -1, 1.5e9],
    );
    assert.deepEqual([request.Healthcheck?.Interval, request.Healthcheck?.Timeout], [90e9, 5e8]);
    assert.deepEqual(request.HostConfig.PortBindings, {
        "80/tcp": [
            { HostIp: "127.0.0.1", HostPort: "" },
            { HostIp: "0.0.0.0", HostPort: "8080" },
        ],
    });
    assert.deepEqual(Object.keys(request.NetworkingConfig?.EndpointsConfig ?? {}), ["one"]);
});

test("a secret is redacted as a whole, by its lines, and by the value it assigns", () => {
    const secrets = new Secrets();
    secrets.learn({
        envs: ["PLAIN=visible", wrapSecret("TOKEN=s3cret")],
        file: wrapSecret("first line\npass: 'hunter2'\n"),
    });
    assert.equal(secrets.redact("PLAIN=visible s3cret"), "PLAIN=visible [secret]");
    assert.equal(secrets.redact("read: first line"), "read: [secret]");
    assert.equal(secrets.redact("password hunter2 refused"), "password [secret] refused");
});
