import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { Backups, somePassword } from "../support/backups.ts";
import { engines } from "../support/deployment.ts";
import { docker, images, inspect, logs, type Run } from "../support/homeserver.ts";
import { ask, eventually } from "../support/http.ts";
import { Inhabitants, OPEN } from "../support/inhabitants.ts";
import { assertIdle, copierOf, killTree } from "../support/interrupted.ts";
import { OLDER_MAJOR, olderPostgres } from "../support/older-postgres.ts";
import { freePorts } from "../support/ports.ts";

/** To another major of PostgreSQL: only when it is asked for, with everything, and back until the server is let in. */

const older = await olderPostgres();

for (const engine of engines()) {
    describe(`another major of PostgreSQL, with ${engine.name}`, async () => {
        const [port = 0, http = 0, https = 0, federation = 0] = await freePorts(4);
        const password = somePassword();
        const server = engine.deployment({
            tls: { mode: "local-ca" },
            ports: { http, https, federation, synapse: port },
            extraConfig: OPEN,
        });
        const postgres = `${server.name}-postgres`;
        const kept = `${server.name}.kept`;
        const people = new Inhabitants();
        after(async () => {
            await server.destroy();
            await docker("volume", "rm", "--force", kept);
        });

        const backup = { backup: { repository: `volume:${kept}`, password } };
        const onOld = {
            ...backup,
            database: { kind: "postgres", version: OLDER_MAJOR },
            images: { ...images, postgres: older },
        };
        const asked = { ...backup, database: { kind: "postgres", version: 17, upgrade: true } };
        const onNew = { ...backup, database: { kind: "postgres", version: 17 } };

        const containers = () => inspect(server.name, "{{.Id}} {{.State.StartedAt}}");
        const server15 = () => inspect(postgres, "{{.Id}} {{.State.StartedAt}}");
        const psql = (query: string) => docker("exec", postgres, "psql", "-qtA", "--no-psqlrc", "-c", query);
        const asSuperuser = (query: string) =>
            docker(
                "exec",
                postgres,
                ...["psql", "-h", "/var/run/postgresql", "-U", "postgres", "-d", "synapse", "-qc"],
                query,
            );
        const major = async () => Math.floor(Number(await psql("SHOW server_version_num")) / 10_000);
        const folders = async () => {
            const listed = await docker("exec", postgres, "ls", "/var/lib/postgresql/data");
            return listed.split("\n").filter((name) => /^\d+$/.test(name));
        };
        const marks = async () => {
            const files = await docker("exec", server.name, "ls", "-A", "/data");
            return files.split("\n").filter((name) => name.startsWith(".postgres-"));
        };

        let key: string;
        let before: unknown;
        let ca: string | undefined;
        let upgraded: Run;
        const findsEverything = async () => {
            assert.deepEqual(await people.findings(port), before);
            await people.findFiles(port);
            await people.logIn(port);
            assert.equal(await server.signingKey(), key);
        };
        const writes = async () => {
            const sent = await people.write(port);
            before = await people.findings(port);
            assert.ok(JSON.stringify(before).includes(sent));
        };

        test("people live on an older one", async () => {
            ca = (await server.mustUp(onOld)).outputs.caCertificate;
            await people.moveIn(port, { users: 5, rooms: 2, events: 20, files: 3 });
            key = await server.signingKey();
            before = await people.findings(port);
            assert.equal(await major(), OLDER_MAJOR);
        });

        test("a newer one is refused until it is asked for, and nothing is touched", async () => {
            const running = [await containers(), await server15()];
            if (server.preview) {
                const preview = await server.preview(onNew);
                assert.notEqual(preview.code, 0);
                assert.match(preview.printed, /the data is in PostgreSQL 15, .*version\s+is\s+17/);
                assert.match(preview.printed, /synapse:database\.upgrade\s+true/);
            }
            const run = await server.up(onNew);
            assert.notEqual(run.code, 0);
            assert.match(run.printed, /synapse:database\.upgrade\s+true/);
            assert.deepEqual([await containers(), await server15()], running);
            assert.deepEqual(await folders(), ["15"]);
            await server.mustUp(onOld);
            assert.deepEqual([await containers(), await server15()], running);
        });

        test("what cannot be copied leaves the old one and the server at work", async () => {
            const running = await server15();
            // The server's role may not read it.
            await asSuperuser("CREATE TABLE not_mine (x int)");
            const run = await server.up(asked);
            assert.notEqual(run.code, 0);
            assert.match(run.printed, /permission denied for table not_mine/);
            assert.match(run.printed, /that of 15 is untouched/);
            await asSuperuser("DROP TABLE not_mine");
            assert.equal(await server15(), running);
            await eventually(
                60,
                () => ask({ port, path: "/_matrix/client/versions" }),
                ({ status }) => status === 200,
            );
            await findsEverything();
            await writes();
        });

        test("killed in its middle, nobody writes meanwhile, and it can be given up", async () => {
            const running = await server15();
            const up = await server.begin(asked);
            const copier = await eventually(
                240,
                () => copierOf(server.name),
                (id) => id !== "",
            );
            // As long as it takes.
            await docker("pause", copier);
            await killTree(up.process);
            await up.ended;
            await server.recover();
            await docker("start", server.name);
            await eventually(
                30,
                () => logs(server.name),
                (said) => said.includes("copied to another major of PostgreSQL: refusing to start"),
            );

            const refused = await server.up(onOld);
            assert.notEqual(refused.code, 0);
            assert.match(
                refused.printed,
                /nothing was touched: a container still copies the data to PostgreSQL 17/,
            );

            await docker("rm", "--force", copier);
            await server.mustUp(onOld);
            assert.equal(await server15(), running);
            assert.deepEqual(await folders(), ["15"]);
            await findsEverything();
            await writes();
        });

        test("killed again, what was copied meanwhile keeps the server from starting, and clients are told", async () => {
            const up = await server.begin(asked);
            const copier = await eventually(
                240,
                () => copierOf(server.name),
                (id) => id !== "",
            );
            await killTree(up.process);
            await up.ended;
            await server.recover();
            await eventually(
                120,
                () => docker("ps", "--quiet", "--no-trunc", "--filter", `id=${copier}`),
                (id) => id === "",
            );
            await docker("start", server.name);
            await eventually(
                30,
                () => logs(server.name),
                (said) => said.includes("which is not deployed yet: refusing to start"),
            );
            const told = await ask({ port: https, path: "/_matrix/client/versions", ca });
            assert.equal(told.status, 503);
            assert.match(told.body, /being maintained/);
            assert.equal(told.headers["retry-after"], "60");
        });

        test("and the next up goes on from there", async () => {
            upgraded = await server.mustUp(asked);
            assert.doesNotMatch(upgraded.printed, /Copying the data/);
        });

        test("everything is there afterwards, and goes on", async () => {
            assert.equal(await major(), 17);
            await findsEverything();
            // With sequences that began again they would find their numbers taken.
            await writes();
            await people.moveIn(port, { users: 0, rooms: 1, events: 3, files: 1 });
            before = await people.findings(port);
            assert.equal(
                await psql(
                    "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = current_database()",
                ),
                "UTF8|C",
            );
            assert.equal(await psql("SHOW data_checksums"), "on");
            assert.deepEqual(await marks(), []);
        });

        test("the old data is kept for as long as it is asked for", async () => {
            assert.deepEqual(await folders(), ["15", "17"]);
            await assertIdle(server);
            await server.mustUp({ ...asked, logLevel: "WARNING" });
            assert.deepEqual(await folders(), ["15", "17"]);
        });

        test("backups go on", async () => {
            await new Backups(server.name).make();
        });

        test("the way back is refused, and nothing is touched", async () => {
            const running = [await containers(), await server15()];
            const back = { ...onOld, database: { ...onOld.database, upgrade: true }, logLevel: "WARNING" };
            if (server.preview) {
                const preview = await server.preview(back);
                assert.notEqual(preview.code, 0);
                assert.match(preview.printed, /the data is in PostgreSQL 17, which no older one can read/);
            }
            const run = await server.up(back);
            assert.notEqual(run.code, 0);
            assert.match(run.printed, /the data is in PostgreSQL 17, which no older one can read/);
            assert.deepEqual([await containers(), await server15()], running);
            assert.deepEqual(await folders(), ["15", "17"]);
        });

        test("the old data goes when it is not asked for any more", async () => {
            const running = await server15();
            const run = await server.mustUp({ ...onNew, logLevel: "WARNING" });
            assert.match(run.printed, /Removing the data of PostgreSQL 15/);
            assert.deepEqual(await folders(), ["17"]);
            assert.equal(await server15(), running);
            await findsEverything();
            await assertIdle(server);
        });

        test("the password is in no state and no message", async () => {
            const secret = await docker("exec", postgres, "sed", "s/.*://", "/database/postgres.pgpass");
            assert.match(secret, /^[A-Za-z0-9]{40,}$/);
            assert.ok(!(await server.record()).includes(secret));
            assert.ok(!upgraded.printed.includes(secret));
        });
    });
}
