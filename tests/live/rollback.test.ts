import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { type } from "../support/commands.ts";
import { engines } from "../support/deployment.ts";
import { docker, images } from "../support/homeserver.ts";
import { ask } from "../support/http.ts";
import { Inhabitants, OPEN } from "../support/inhabitants.ts";
import { freePorts } from "../support/ports.ts";
import { synapseVariant } from "../support/synapse-variant.ts";

/** Back from a Synapse that has changed the database so that the one before cannot read it any more. */

const [newer, broken] = await Promise.all([synapseVariant("newer"), synapseVariant("broken")]);

for (const engine of engines()) {
    for (const kind of ["postgres", "sqlite"] as const) {
        describe(`a rollback on ${kind}, with ${engine.name}`, async () => {
            const [port = 0] = await freePorts(1);
            const server = engine.deployment({
                tls: { mode: "none" },
                ports: { synapse: port },
                database: { kind },
                upgrade: { dump: true },
                extraConfig: OPEN,
            });
            const people = new Inhabitants();
            const rollback = (...args: string[]) =>
                type("rollback/rollback.ts", ["--stack", server.stack, ...args], {
                    environment: server.environment,
                });
            after(() => server.destroy());

            let before: unknown;

            test("before another image runs, and only then, there is a dump", async () => {
                await server.mustUp();
                await people.moveIn(port, { users: 2, rooms: 1, events: 3, files: 1 });
                await server.mustUp({ logLevel: "WARNING" });
                assert.match((await rollback("--list")).stdout, /There is no dump/);
                before = await people.findings(port);

                const run = await server.mustUp({ images: { ...images, synapse: newer } });
                assert.match(run.printed, /Dumped it to 20\S+-synapse-1\.\d+/);
                const { stdout } = await rollback("--list");
                assert.equal(stdout.trim().split("\n").length, 1, stdout);
                assert.ok(stdout.includes(String(images.synapse)), stdout);
                await people.write(port);
            });

            test("the older image is refused as long as the database is the newer one's", async () => {
                const refused = await server.up();
                assert.notEqual(refused.code, 0);
                assert.match(refused.printed, /the database has schema version/);
                assert.equal((await ask({ port, path: "/_matrix/client/versions" })).status, 200);
            });

            test("a rollback puts the database back, and keeps the newer one", async () => {
                const { code, stderr, stdout } = await rollback("--yes");
                assert.equal(code, 0, stderr);
                assert.ok(stdout.includes(`synapse:images.synapse ${String(images.synapse)}`), stdout);
                await server.mustUp();
                assert.deepEqual(await people.findings(port), before);
                await people.findFiles(port);
                await people.logIn(port);
                if (kind === "postgres") {
                    const databases = await docker(
                        "exec",
                        `${server.name}-postgres`,
                        ...["psql", "-h", "/var/run/postgresql", "-U", "postgres", "-d", "postgres", "-qtAc"],
                        "SELECT datname FROM pg_database WHERE datname LIKE 'synapse_before_%'",
                    );
                    assert.match(databases, /^synapse_before_\d+$/);
                } else {
                    const files = await docker("exec", server.name, "ls", "/data");
                    assert.match(files, /homeserver\.db\.before-rollback-/);
                }
            });

            test("an upgrade that fails names the dump, and what puts it back", async () => {
                const run = await server.up({ images: { ...images, synapse: broken } });
                assert.notEqual(run.code, 0);
                assert.match(run.printed, /Dumped it to 20\S+ on the volume of dumps/);
                assert.match(run.printed, /npm run rollback/);
            });

            if (kind === "postgres") {
                test("what a Synapse has upgraded that was never healthy takes no good dump's place", async () => {
                    const before = (await rollback("--list")).stdout;
                    await docker(
                        "exec",
                        `${server.name}-postgres`,
                        ...["psql", "-qc", "UPDATE schema_version SET version = version + 1"],
                    );
                    const run = await server.mustUp({ images: { ...images, synapse: newer } });
                    assert.match(run.printed, /The dump 20\S+ from before the last upgrade is kept/);
                    assert.equal((await rollback("--list")).stdout, before);
                });
            }
        });
    }
}
