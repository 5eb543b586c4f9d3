import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { engines } from "../support/deployment.ts";
import { docker, type Run } from "../support/homeserver.ts";
import { ask } from "../support/http.ts";
import { assertNothingLeft } from "../support/standing.ts";

/** Two stacks of one program on one Docker host. */

for (const engine of engines()) {
    describe(`side by side, with ${engine.name}`, () => {
        const servers = [
            engine.deployment({ tls: { mode: "local-ca" } }),
            engine.deployment({ tls: { mode: "local-ca" } }),
        ] as const;
        let runs: readonly Run[];
        before(async () => {
            runs = await Promise.all(servers.map((server) => server.mustUp()));
        });
        after(() => Promise.all(servers.map((server) => server.destroy())));

        test("both answer, with keys, CAs and ports of their own", async () => {
            for (const { outputs } of runs) {
                const answer = await ask({
                    port: outputs.publishedPorts.https,
                    path: "/_matrix/client/versions",
                    ca: outputs.caCertificate,
                });
                assert.equal(answer.status, 200);
            }
            for (const distinct of ["verifyKey", "caCertificate", "clientUrl"] as const) {
                assert.equal(new Set(runs.map(({ outputs }) => outputs[distinct])).size, 2, distinct);
            }
            const ports = runs.flatMap(({ outputs }) => Object.values(outputs.publishedPorts));
            assert.equal(ports.length, 8);
            assert.equal(new Set(ports).size, ports.length);
        });

        test("taking one down leaves the other as it is, and nothing of its own", async () => {
            const [gone, stays] = servers;
            const before = await docker("ps", "--quiet", "--filter", `name=${stays.name}`);
            // Synapse, nginx, and what renews the certificate.
            assert.equal(before.split("\n").length, 3);
            const down = await gone.down();
            assert.equal(down.code, 0, down.printed);
            assert.equal(await docker("ps", "--quiet", "--filter", `name=${stays.name}`), before);
            await assertNothingLeft(gone.name);
        });
    });
}
