import assert from "node:assert/strict";
import { test } from "node:test";
import { some } from "../../support/some.ts";
import { portsOf, registered, uploadsOf } from "./looks.ts";
import { dual, ephemeral, everyRun, runs } from "./runs.ts";

test("Synapse's plain HTTP port is published to the Docker host itself alone", () => {
    for (const run of Object.values(runs)) {
        const plain = portsOf(run, "synapse-container").filter(({ internal }) => internal % 10_000 === 8008);
        assert.deepEqual(plain, [{ internal: 8008, external: 8008, ip: "127.0.0.1" }]);
    }
});

test("behind nginx nothing else of Synapse is published", () => {
    for (const mode of ["none", "files", "local-ca", "proxy"] as const) {
        assert.equal(portsOf(runs[mode], "synapse-container").length, 1);
    }
});

test("each of two addresses gets a port of its own inside the container", () => {
    assert.deepEqual(portsOf(dual, "nginx-container"), [
        { internal: 80, external: 80, ip: "0.0.0.0" },
        { internal: 443, external: 443, ip: "0.0.0.0" },
        { internal: 8448, external: 8448, ip: "0.0.0.0" },
        { internal: 10080, external: 80, ip: "::" },
        { internal: 10443, external: 443, ip: "::" },
        { internal: 18448, external: 8448, ip: "::" },
    ]);
    assert.deepEqual(portsOf(runs.synapse, "synapse-container").slice(1), [
        { internal: 8448, external: 8448, ip: "0.0.0.0" },
    ]);
});

test("the servers listen on every port that is published", () => {
    for (const run of everyRun) {
        const [homeserver] = uploadsOf(run, "synapse-config");
        const published = portsOf(run, "synapse-container");
        for (const { internal } of run === dual ? published : some(published)) {
            assert.match(homeserver?.content ?? "", new RegExp(`^ +- port: ${internal}$`, "m"));
        }
        if (run.registrations.every(({ name }) => name !== "nginx-container")) continue;
        const conf = String(registered(run, "nginx-configuration").inputs.stdin);
        for (const { internal } of some(portsOf(run, "nginx-container"))) {
            assert.match(conf, new RegExp(`^ +listen ${internal} `, "m"));
        }
    }
});

test("a port that a throw-away stack leaves out is left to Docker, on one address", () => {
    assert.deepEqual(portsOf(ephemeral, "nginx-container"), [
        { internal: 80, ip: "0.0.0.0" },
        { internal: 443, ip: "0.0.0.0" },
        { internal: 8448, ip: "0.0.0.0" },
    ]);
    assert.deepEqual(portsOf(ephemeral, "synapse-container"), [{ internal: 8008, ip: "127.0.0.1" }]);
});
