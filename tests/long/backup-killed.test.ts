import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Backups, somePassword } from "../support/backups.ts";
import { type Deployment, engines } from "../support/deployment.ts";
import { docker } from "../support/homeserver.ts";

/** Whatever dies while a backup is made: half of one never counts, and the next one is whole. */
const [engine] = engines();
if (engine !== undefined)
    describe(`a backup that is cut short, with ${engine.name}`, () => {
        let server: Deployment;
        let backups: Backups;
        let repository = "";
        const password = somePassword();
        const settings = () => ({ backup: { repository, password, keep: { last: 50 } } });
        const sql = (statement: string) => docker("exec", backups.database, "psql", "-qAt", "-c", statement);

        before(async () => {
            server = engine.deployment({ tls: { mode: "none" }, database: { kind: "postgres" } });
            backups = new Backups(server.name);
            repository = `volume:${server.name}.kept`;
            await server.mustUp(settings());
            await backups.first();
            // So that there is a middle.
            await sql(
                "CREATE TABLE filler AS SELECT (SELECT string_agg(md5(random()::text || g || i), '') FROM generate_series(1, 250) i) FROM generate_series(1, 6000) g",
            );
        });
        after(async () => {
            await server.destroy();
            await docker("volume", "rm", "--force", `${server.name}.kept`);
        });

        /** Begins one, does something to it, and sees that it does not count and that the next does. */
        async function cutShort(
            phase: RegExp | undefined,
            kill: () => Promise<unknown>,
            made = 0,
        ): Promise<string> {
            const before = (await backups.runs()).filter(({ whole }) => whole).length;
            await sql(
                "UPDATE filler SET string_agg = md5(random()::text) || string_agg WHERE random() < 0.5",
            );
            const under = backups.attempt();
            if (phase !== undefined) await backups.until(phase);
            await kill();
            const { code, printed } = await under;
            assert.notEqual(code, 0, printed);
            await backups.isThere();
            const runs = await backups.runs();
            assert.equal(runs.filter(({ whole }) => whole).length, before + made, JSON.stringify(runs));
            await backups.make();
            const healed = await backups.runs();
            assert.deepEqual([healed.length, healed.every(({ whole }) => whole)], [before + made + 1, true]);
            return printed;
        }

        /** As the kernel does when memory runs out: Docker starts it again, which it would not after a docker kill. */
        async function kill(container: string): Promise<void> {
            process.kill(Number(await docker("inspect", "--format", "{{.State.Pid}}", container)), "SIGKILL");
        }
        /** As soon as there is a restic with this among its arguments. */
        const killOnce = (argument: string) => {
            const watch = `until pkill -KILL -f "restic.*${argument}"; do sleep 0.02; done`;
            return docker("exec", backups.container, "timeout", "60", "sh", "-c", watch);
        };
        const killRestic = () => docker("exec", backups.container, "pkill", "-KILL", "-x", "restic");

        test("the container that dumps is killed in its middle", async () => {
            const said = await cutShort(/dump$/m, () => kill(backups.database));
            assert.match(said, /The database was not dumped/);
        });

        test("PostgreSQL is killed", async () => {
            const said = await cutShort(/dump$/m, () => kill(`${server.name}-postgres`));
            assert.match(said, /failed at the database/);
        });

        test("restic is killed while it takes the database", async () => {
            await cutShort(/dump$/m, killRestic);
        });

        test("the container of restic is killed while it takes the database", async () => {
            await cutShort(/dump$/m, () => kill(backups.container));
        });

        test("restic is killed before anything", async () => {
            await cutShort(undefined, () => killOnce("unlock"));
        });

        test("restic is killed while it takes the files", async () => {
            await cutShort(undefined, () => killOnce("part:files"));
        });

        for (const phase of ["forget", "prune", "check"])
            test(`restic is killed at ${phase}, when there is a good backup already`, async () => {
                // So that the next one checks, which it does once a week.
                await docker("exec", backups.container, "rm", "-f", "/state/checked");
                await cutShort(undefined, () => killOnce(phase), 1);
            });
    });
