import assert from "node:assert/strict";
import { test } from "node:test";
import { some } from "../../support/some.ts";
import { loaderOf, loadersOf, registered, type Upload } from "./looks.ts";
import { everyRun, larger, type Run, roomier, runs } from "./runs.ts";

test("a container that fills a volume is never started", () => {
    for (const { inputs } of some(everyRun.flatMap(loadersOf))) {
        assert.deepEqual([inputs.mustRun, inputs.start], [false, false]);
        const [mount, ...others] = inputs.mounts as { source: string; target: string }[];
        assert.deepEqual(others, []);
        for (const { file, content, permissions } of some(inputs.uploads as Upload[])) {
            assert.ok(file.startsWith(`${mount?.target}/`));
            assert.notEqual(content, "");
            assert.match(permissions, /^0[45][45][45]$/, "nobody can change it");
        }
    }
});

test("volume, container and resources of some files are named by their content", () => {
    for (const run of everyRun) {
        for (const { name, parent, inputs } of some(loadersOf(run))) {
            const [, hash = ""] = /-([0-9a-f]{12})-loader$/.exec(name) ?? [];
            const volume = registered(run, `${parent}-${hash}-volume`);
            assert.match(String(volume.inputs.name), new RegExp(`^synapse-test-.*-${hash}$`));
            assert.equal(inputs.name, volume.inputs.name);
            assert.deepEqual(inputs.mounts, [
                { type: "volume", source: volume.inputs.name, target: "/files" },
            ]);
        }
    }
});

test("a service mounts the very volume that its files are in", () => {
    const mounted = (run: Run, service: string) =>
        (registered(run, service).inputs.mounts as { source: string }[]).map(({ source }) => source);
    for (const [service, files] of [
        ["synapse-container", "synapse-config"],
        ["nginx-container", "nginx-scripts"],
        ["certificates-relay", "certificates-scripts"],
    ] as const) {
        assert.ok(mounted(runs.files, service).includes(String(loaderOf(runs.files, files).inputs.name)));
    }
});

test("a changed setting makes another volume of the files that say it, and of no others", () => {
    const names = (run: Run) => Object.fromEntries(loadersOf(run).map(({ name, parent }) => [parent, name]));
    const before = names(runs.files);
    const { "synapse-config": config, ...others } = names(larger);
    assert.notEqual(config, before["synapse-config"]);
    assert.deepEqual({ ...others, "synapse-config": before["synapse-config"] }, before);
    assert.deepEqual(names(roomier), before);
});

test("a changed nginx.conf is taken up by the running nginx, not by another", () => {
    const conf = (run: Run) => registered(run, "nginx-configuration").inputs.stdin;
    assert.notEqual(conf(larger), conf(runs.files));
    assert.deepEqual(
        registered(larger, "nginx-container").inputs,
        registered(runs.files, "nginx-container").inputs,
    );
});
