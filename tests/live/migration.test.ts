import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { checkAlone, OWN } from "../support/database-check.ts";
import { engines } from "../support/deployment.ts";
import { docker, logs, type Run } from "../support/homeserver.ts";
import { ask, eventually } from "../support/http.ts";
import { Inhabitants, OPEN } from "../support/inhabitants.ts";
import { killTree, moverOf } from "../support/interrupted.ts";
import { freePorts } from "../support/ports.ts";

/** From SQLite to PostgreSQL: everything is there afterwards, and nothing leads back. */

for (const engine of engines()) {
    describe(`the way to PostgreSQL, with ${engine.name}`, async () => {
        const [port = 0, http = 0, https = 0, federation = 0] = await freePorts(4);
        const server = engine.deployment({
            tls: { mode: "local-ca" },
            ports: { http, https, federation, synapse: port },
            extraConfig: OPEN,
        });
        const people = new Inhabitants();
        after(() => server.destroy());

        const onSqlite = { database: { kind: "sqlite" } };
        const onPostgres = { database: { kind: "postgres" } };
        const psql = (query: string) =>
            docker("exec", `${server.name}-postgres`, "psql", "-qtA", "--no-psqlrc", "-c", query);

        let key: string;
        let before: unknown;
        let ca: string | undefined;
        let moved: Run;

        test("people live on SQLite", async () => {
            ca = (await server.mustUp(onSqlite)).outputs.caCertificate;
            await people.moveIn(port, { users: 10, rooms: 3, events: 40, files: 6 });
            key = await server.signingKey();
        });

        test("interrupted, it moves nothing under a server that writes, and stays with SQLite if it is told to", async () => {
            const up = await server.begin(onPostgres);
            const mover = await eventually(
                240,
                () => moverOf(server.name),
                (id) => id !== "",
            );
            // As long as it takes.
            await docker("pause", mover);
            await killTree(up.process);
            await up.ended;
            await server.recover();
            assert.equal(await checkAlone(server.name, OWN), "migrate");
            assert.match(
                await checkAlone(server.name, OWN, false),
                /^Refused, and nothing was touched: the server's data is in SQLite\. Say where it is to be/,
            );

            const refused = await server.up(onSqlite);
            assert.notEqual(refused.code, 0);
            assert.match(refused.printed, /nothing was touched: a container still moves the server's data/);
            await docker("start", server.name);
            await eventually(
                30,
                () => logs(server.name),
                (said) => said.includes("being moved to PostgreSQL: refusing to start"),
            );

            await docker("rm", "--force", mover);
            if (server.preview) {
                const preview = await server.preview(onSqlite);
                assert.equal(preview.code, 0, preview.printed);
            }
            await server.mustUp(onSqlite);
            // Into tables that have been copied already.
            await people.write(port);
            await people.write(port, undefined, 3);
            await assert.rejects(docker("exec", server.name, "ls", "/data/.moving-to-postgres"));
        });

        test("what is in SQLite is in PostgreSQL after the kind was changed", async () => {
            before = await people.findings(port);
            if (server.preview) {
                const preview = await server.preview(onPostgres);
                assert.equal(preview.code, 0, preview.printed);
                assert.match(preview.printed, /synapse-migration/);
            }
            // What clients are told meanwhile.
            const told = eventually(
                240,
                () => ask({ port: https, path: "/_matrix/client/versions", ca }),
                ({ status, body }) => status === 503 && body.includes("being maintained"),
            );
            told.catch(() => undefined);
            moved = await server.mustUp(onPostgres);
            assert.equal((await told).headers["retry-after"], "60");

            assert.deepEqual(await people.findings(port), before);
            await people.findFiles(port);
            await people.logIn(port);
            assert.equal(await server.signingKey(), key);
            assert.equal(await psql("SELECT count(*) FROM users"), "10");
            await people.write(port);
        });

        test("the run says what it compared, and the SQLite file is kept under a dated name", async () => {
            assert.match(moved.printed, /Compared the rows of \d{3} tables/);
            const files = (await docker("exec", server.name, "ls", "-A", "/data")).split("\n");
            assert.equal(
                files.filter((file) => /^homeserver\.db\.20\d\d-/.test(file)).length,
                1,
                files.join(" "),
            );
            assert.ok(!files.includes("homeserver.db"));
            assert.ok(!files.includes(".moving-to-postgres"));
            assert.equal(await psql("SELECT to_regclass('port_from_sqlite3') IS NULL"), "t");
        });

        test("the same settings again change nothing", async () => {
            const again = await server.again();
            assert.equal(again.code, 0, again.printed);
        });

        test("the password is in no state, container, process or log", async () => {
            const password = await docker(
                "exec",
                `${server.name}-postgres`,
                "sed",
                "s/.*://",
                "/database/postgres.pgpass",
            );
            assert.match(password, /^[A-Za-z0-9]{40,}$/);
            const containers = (
                await docker("ps", "--all", "--quiet", "--filter", `name=^${server.name}`)
            ).split("\n");
            const places = {
                state: await server.record(),
                run: moved.printed,
                containers: await docker("inspect", ...containers),
                processes: (
                    await Promise.all(
                        [server.name, `${server.name}-postgres`].map((name) =>
                            docker("top", name, "-eo", "pid,args"),
                        ),
                    )
                ).join(),
                log: await docker("logs", `${server.name}-postgres`),
            };
            for (const [place, text] of Object.entries(places)) assert.ok(!text.includes(password), place);
        });

        test("the way back to SQLite is refused, and nothing is touched", async () => {
            if (server.preview) {
                const preview = await server.preview(onSqlite);
                assert.notEqual(preview.code, 0);
                assert.match(preview.printed, /nothing takes it from there to SQLite/);
            }
            const run = await server.up(onSqlite);
            assert.notEqual(run.code, 0);
            assert.match(run.printed, /nothing takes it from there to SQLite|data is in PostgreSQL/);
            assert.deepEqual(
                await ask({ port, path: "/_matrix/client/versions" }).then(({ status }) => status),
                200,
            );
        });
    });
}
