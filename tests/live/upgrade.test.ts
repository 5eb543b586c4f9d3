import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { engines, type Settings } from "../support/deployment.ts";
import { docker, images, inspect, logs, type Run } from "../support/homeserver.ts";
import { eventually } from "../support/http.ts";
import { synapseVariant } from "../support/synapse-variant.ts";

/** Upgrades of Synapse that fail, that last, and that cannot be undone. */

const upgradeTo = (synapse: string): Settings => ({ images: { ...images, synapse } });
const [broken, slow, old] = await Promise.all([
    synapseVariant("broken"),
    synapseVariant("slow"),
    synapseVariant("old"),
]);

for (const engine of engines()) {
    describe(`an upgrade, with ${engine.name}`, () => {
        const server = engine.deployment({ tls: { mode: "none" } });
        const container = () => inspect(server.name, "{{.Id}} {{.State.StartedAt}}");
        let first: Run;
        before(async () => {
            first = await server.mustUp();
        });
        after(() => server.destroy());

        test("to a Synapse that does not start fails when it exits, and quotes its log", {
            timeout: 300_000,
        }, async () => {
            // Not by running out of its time.
            const run = await server.up({ ...upgradeTo(broken), startSeconds: 3600 });
            assert.notEqual(run.code, 0);
            assert.match(run.printed, /This Synapse does not start\./);
            assert.match(run.printed, /exited with code|keeps exiting|exited while it was starting/);
        });

        test("that failed is undone by going back", async () => {
            const { outputs } = await server.mustUp();
            assert.equal(outputs.verifyKey, first.outputs.verifyKey);
            const port = String(outputs.publishedPorts.synapse);
            const answer = await fetch(`http://127.0.0.1:${port}/_matrix/client/versions`);
            assert.equal(answer.status, 200);
        });

        test("to a Synapse that is too old for the database is refused, and the server goes on", async () => {
            const running = await container();
            const run = await server.up(upgradeTo(old));
            assert.notEqual(run.code, 0);
            assert.match(
                run.printed,
                /the database has schema version \d+, which a Synapse reads that knows version \d+ or\s+newer/,
            );
            assert.match(run.printed, /synapse-old:\w+ knows 72/);
            assert.equal(await container(), running);
            assert.notEqual((await server.again()).code, 0, "the image should still differ");
            await server.mustUp();
            assert.equal(await container(), running);
        });

        test("that lasts is waited for, is not disturbed by another up, and ends well", {
            timeout: 400_000,
        }, async () => {
            const startSeconds = 30;
            const settings = {
                ...upgradeTo(slow),
                startSeconds,
                extraConfig: { presence: { enabled: false } },
            };
            const killed = await server.begin(settings);
            await upgrading(server.name);
            const migrating = await container();
            await new Promise((resolve) => setTimeout(resolve, startSeconds * 1000 + 5000));
            assert.equal(killed.process.exitCode, null);
            killed.process.kill("SIGKILL");
            await killed.ended;
            await server.recover();

            for (const other of [{ ...settings, extraConfig: {} }, {}]) {
                const refused = await server.up(other);
                assert.notEqual(refused.code, 0);
                assert.match(refused.printed, /Refused, and nothing was touched.*upgrading its database/s);
                assert.equal(await container(), migrating);
            }

            const running = await server.begin(settings);
            await new Promise((resolve) => setTimeout(resolve, 5000));
            assert.equal(running.process.exitCode, null);
            await docker("exec", server.name, "touch", "/data/finish");
            const done = await running.ended;
            assert.equal(done.code, 0, done.printed);
            assert.equal(await container(), migrating);
            assert.match(await logs(server.name), /Schema now up to date/);
        });
    });
}

function upgrading(container: string): Promise<unknown> {
    return eventually(
        60,
        () => logs(container).catch(() => ""),
        (log) => /Running .*99_slow\.py:run_create/.test(log),
    );
}
