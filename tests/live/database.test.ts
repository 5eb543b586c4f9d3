import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { checkAlone } from "../support/database-check.ts";
import { engines } from "../support/deployment.ts";
import { docker, images, inspect, logs, type Run } from "../support/homeserver.ts";
import { ask, eventually } from "../support/http.ts";
import { Inhabitants, OPEN } from "../support/inhabitants.ts";
import { assertIdle } from "../support/interrupted.ts";
import { OtherPostgres } from "../support/other-postgres.ts";
import { freePorts } from "../support/ports.ts";
import { TestCa } from "../support/test-ca.ts";

/** PostgreSQL: the stack's own, and then another's, to which the data is taken by hand. */

for (const engine of engines()) {
    describe(`PostgreSQL, with ${engine.name}`, async () => {
        const [port = 0] = await freePorts(1);
        const server = engine.deployment({
            tls: { mode: "none" },
            ports: { synapse: port },
            extraConfig: OPEN,
        });
        const postgres = `${server.name}-postgres`;
        const other = new OtherPostgres(`${server.name}-elsewhere`);
        const people = new Inhabitants();
        const managed = { database: { kind: "postgres" } };
        after(async () => {
            // On the stack's network, which could not go before it.
            await other.remove();
            await server.destroy();
        });

        const psql = (query: string) => docker("exec", postgres, "psql", "-qtA", "--no-psqlrc", "-c", query);
        const answers = () =>
            eventually(
                60,
                () => ask({ port, path: "/_matrix/client/versions" }),
                ({ status }) => status === 200,
            );
        const stops = async () => {
            const said = await logs(postgres);
            return {
                down: said.split("database system is shut down").length - 1,
                recovered: said.split("automatic recovery in progress").length - 1,
            };
        };

        let before: unknown;
        const findsEverything = async () => {
            assert.deepEqual(await people.findings(port), before);
            await people.findFiles(port);
            await people.logIn(port);
        };

        test("a fresh server is on the stack's own, and a second up changes nothing", async () => {
            await server.mustUp(managed);
            await people.moveIn(port, { users: 3, rooms: 1, events: 10, files: 2 });
            before = await people.findings(port);
            assert.equal(await psql("SELECT count(*) FROM users"), "3");
            const files = await docker("exec", server.name, "ls", "-A", "/data");
            assert.doesNotMatch(files, /homeserver\.db|moving-to-postgres/);
            await assertIdle(server);
        });

        test("the superuser works with psql inside its container", async () => {
            const superuser = ["-h", "/var/run/postgresql", "-U", "postgres"];
            const shown = await docker(
                "exec",
                postgres,
                "psql",
                ...superuser,
                "-qtAc",
                "SELECT current_user",
            );
            assert.equal(shown, "postgres");
        });

        test("its container has no more than it needs", async () => {
            const format =
                "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.ShmSize}} {{.Config.StopSignal}} {{.HostConfig.SecurityOpt}} {{.HostConfig.PortBindings}}";
            assert.equal(
                await inspect(postgres, format),
                `999:999 true [ALL] ${256 * 2 ** 20} SIGINT [no-new-privileges:true] map[]`,
            );
            assert.equal(await psql("SHOW shared_buffers"), "256MB");
            assert.equal(await psql("SHOW data_checksums"), "on");
            const query = "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database";
            assert.equal(await psql(`${query} WHERE datname = 'synapse'`), "UTF8|C|C");
            const roles = "SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles";
            assert.equal(await psql(`${roles} WHERE rolname = 'synapse'`), "f");
        });

        test("it lets nobody in without the password, and over the network nobody but the server's role", async () => {
            const files = await docker(
                "exec",
                postgres,
                "sh",
                "-c",
                "stat -c '%u:%g %a %n' /database/*.pgpass",
            );
            assert.deepEqual(files.split("\n"), [
                "999:999 400 /database/postgres.pgpass",
                "991:991 400 /database/synapse.pgpass",
            ]);
            const stranger = (...connection: string[]) =>
                docker(
                    "run",
                    "--rm",
                    ...["--network", server.name, "--entrypoint", "psql", images.postgres ?? ""],
                    ...["-w", "-h", "postgres", ...connection, "-c", "SELECT 1"],
                );
            for (const [connection, refusal] of [
                [["-U", "synapse", "synapse"], /no password supplied/],
                [["postgresql://synapse:wrong@postgres/synapse"], /password authentication failed/],
                [["-U", "postgres", "synapse"], /no pg_hba.conf entry/],
                [["-U", "synapse", "postgres"], /no pg_hba.conf entry/],
            ] as const)
                await assert.rejects(stranger(...connection), refusal);
            const superuser = [
                "psql",
                "-w",
                "-h",
                "127.0.0.1",
                "-U",
                "postgres",
                "postgres",
                "-c",
                "SELECT 1",
            ];
            await assert.rejects(docker("exec", postgres, ...superuser), /no pg_hba.conf entry/);
        });

        test("a stop leaves nothing to recover", async () => {
            const { down, recovered } = await stops();
            await docker("stop", postgres);
            assert.equal((await stops()).down, down + 1);
            assert.equal(await inspect(postgres, "{{.State.ExitCode}}"), "0");
            await docker("start", postgres);
            await answers();
            await eventually(60, findsEverything, () => true);
            assert.equal((await stops()).recovered, recovered);
        });

        test("killed, it comes back by itself, and so does the server, with all that it had acknowledged", async () => {
            const sent = await people.write(port);
            const { recovered } = await stops();
            const pid = await inspect(postgres, "{{.State.Pid}}");
            await docker(
                "run",
                "--rm",
                ...["--pid=host", "--user=0", "--entrypoint=kill", images.postgres ?? "", "-9", pid],
            );
            await eventually(
                60,
                () => people.write(port),
                (event) => event !== "",
            );
            assert.equal((await stops()).recovered, recovered + 1);
            before = await people.findings(port);
            assert.ok(JSON.stringify(before).includes(sent));
        });

        test("another's is refused for whatever is wrong with it, before anything is touched", async () => {
            await other.start(server.name);
            const mine = "OWNER synapse TEMPLATE template0 ENCODING 'UTF8'";
            await other.create("moved", `${mine} LOCALE 'C'`);
            await other.restore("moved", postgres);
            await other.create("empty", `${mine} LOCALE 'C'`);
            await other.create("by_locale", `${mine} LOCALE 'C.UTF-8'`);
            await other.create("american", `${mine} LOCALE 'en_US.UTF-8'`);
            await other.create("ascii", "OWNER synapse TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'");
            await other.create("not_mine", "TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'");
            await other.create("of_another_server", "TEMPLATE moved OWNER synapse");
            await other.psql(
                "of_another_server",
                "SET session_replication_role = replica; UPDATE users SET name = replace(name, ':localhost', ':other.org')",
            );
            await other.create("with_another_key", "TEMPLATE moved OWNER synapse");
            await other.psql(
                "with_another_key",
                `UPDATE event_json SET json = regexp_replace(json, '"ed25519:[^"]+"', '"ed25519:a_Else"')`,
            );
            await other.create("of_a_newer_synapse", "TEMPLATE moved OWNER synapse");
            await other.psql(
                "of_a_newer_synapse",
                "UPDATE schema_compat_version SET compat_version = 9999; UPDATE schema_version SET version = 9999",
            );

            for (const [database, reason] of [
                ["by_locale", /collation C\.UTF-8 and character type C\.UTF-8; Synapse needs UTF8, C/],
                ["american", /collation en_US\.UTF-8/],
                ["ascii", /encoding SQL_ASCII/],
                ["not_mine", /the role may create no table/],
                ["of_another_server", /belongs to another server: it has the user @.*:other\.org/],
                ["with_another_key", /signed with ed25519:a_Else/],
                ["of_a_newer_synapse", /the database has schema version 9999/],
                ["empty", /is empty, and the server's data was in PostgreSQL/],
                ["moved", /^ready$/],
            ] as const)
                assert.match(await checkAlone(server.name, other.connection(database)), reason);

            const container = await inspect(server.name, "{{.Id}} {{.State.StartedAt}}");
            const unknown = new TestCa();
            try {
                for (const [setting, reason] of [
                    [
                        other.setting("moved", { moved: false }),
                        /Nothing copies it from one PostgreSQL to another/,
                    ],
                    [other.setting("moved", { ca: unknown.file }), /certificate verify failed/],
                    [other.setting("moved", { ca: "/nowhere.pem" }), /\/nowhere\.pem/],
                    [other.setting("moved", { password: "Hunter2" }), /password authentication failed/],
                    [other.setting("moved", { port: 5433 }), /Connection refused/],
                    [other.setting("empty"), /is empty, and the server's data was in PostgreSQL/],
                ] as const) {
                    const run = await server.up(setting);
                    assert.notEqual(run.code, 0, `${reason.source} was deployed`);
                    assert.match(run.printed, reason);
                    for (const password of [other.password, "Hunter2"])
                        assert.ok(!run.printed.includes(password), run.printed);
                    assert.equal(await inspect(server.name, "{{.Id}} {{.State.StartedAt}}"), container);
                }
            } finally {
                unknown.remove();
            }
            await findsEverything();
            await server.mustUp(managed);
            assert.equal(await inspect(server.name, "{{.Id}} {{.State.StartedAt}}"), container);
        });

        let moved: Run;

        test("what was copied to another's is used there from then on", async () => {
            await docker("stop", server.name);
            await other.psql("postgres", "DROP DATABASE moved");
            await other.create("moved", "OWNER synapse TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'");
            await other.restore("moved", postgres);
            moved = await server.mustUp(other.setting("moved"));
            await findsEverything();
            await people.write(port);
            before = await people.findings(port);
            assert.equal(
                await other.psql(
                    "moved",
                    "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'synapse'",
                ),
                "t",
            );
            await assert.rejects(inspect(postgres, "{{.Id}}"));
            await assertIdle(server);
        });

        test("its password is in no state, container, process or log", async () => {
            const ids = await docker("ps", "--all", "--quiet", "--filter", `name=^${server.name}$`);
            const seen = {
                state: await server.record(),
                run: moved.printed,
                containers: await docker("inspect", ...ids.split("\n")),
                processes: await docker("top", server.name, "-eo", "pid,args"),
                log: await logs(server.name),
            };
            for (const [place, text] of Object.entries(seen))
                for (const form of [other.password, JSON.stringify(other.password).slice(1, -1)])
                    assert.ok(!text.includes(form), place);
        });

        test("a password that it does not take leaves the server the one that it has", async () => {
            const run = await server.up(other.setting("moved", { password: "Hunter2" }));
            assert.notEqual(run.code, 0);
            assert.match(run.printed, /nothing was touched: .* does not let the server in/);
            // A server that starts again has to log in again.
            await docker("restart", server.name);
            await answers();
            await findsEverything();
        });
    });
}
