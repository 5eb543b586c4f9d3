import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { BackupStatus } from "../../../commands/status/backup.ts";
import { Backups, somePassword } from "../../support/backups.ts";
import { type } from "../../support/commands.ts";
import type { Deployment, Engine } from "../../support/deployment.ts";
import { docker } from "../../support/homeserver.ts";
import { freePorts } from "../../support/ports.ts";
import { Alice } from "./people.ts";

/** Backed up, all of it lost, and restored: nobody is to notice. */
export async function thereAndBack(engine: Engine, kind: "postgres" | "sqlite"): Promise<void> {
    const [port = 0] = await freePorts(1);
    const password = somePassword();
    describe(`a server on ${kind} that is lost and restored, with ${engine.name}`, () => {
        let server: Deployment;
        let backups: Backups;
        let alice: Alice;
        let repository = "";
        const identity: string[] = [];
        const printed: string[] = [];

        before(() => {
            server = engine.deployment({
                tls: { mode: "none" },
                ports: { synapse: port },
                database: { kind },
            });
            backups = new Backups(server.name);
            alice = new Alice(server.name, port);
            repository = `volume:${server.name}.kept`;
        });
        after(async () => {
            await server.destroy();
            await docker("volume", "rm", "--force", `${server.name}.kept`);
        });
        const settings = () => ({ backup: { repository, password, keep: { last: 50 } } });
        const typed = (command: string, ...args: string[]) =>
            type(command, ["--stack", server.stack, ...args], { environment: server.environment });
        const files = () =>
            docker(
                "exec",
                server.name,
                "sh",
                "-c",
                "cd /data; sha256sum *.signing.key homeserver.yaml; find media_store -type f",
            );

        test("makes its first backup by itself", async () => {
            const { printed: said } = await server.mustUp(settings());
            printed.push(said);
            assert.match(said, /There was no repository at volume:\S+: it was made/);
            await backups.first();
            const [first, ...others] = await backups.runs();
            assert.deepEqual([first?.whole, first?.host, others], [true, server.name, []]);
        });

        test("makes another with all that somebody has made since", async () => {
            await server.registerUser("alice", Alice.password);
            await alice.live();
            assert.equal(await alice.oneTimeKeys(), 1);
            identity.push(await server.signingKey(), await files());
            const { code, stderr } = await typed("backup.ts");
            assert.equal(code, 0, stderr);
            const run = /The backup (\S+) is made/.exec(stderr)?.[1];
            const runs = await backups.runs();
            assert.deepEqual([runs.map(({ whole }) => whole), runs.at(-1)?.run], [[true, true], run]);
            assert.deepEqual(JSON.parse((await typed("backup.ts", "--list", "--json")).stdout), runs);
            const status = JSON.parse((await typed("status.ts", "--json")).stdout) as {
                backup: BackupStatus;
            };
            assert.deepEqual([status.backup.hours, status.backup.error], [0, null]);
        });

        test("the password stands nowhere", async () => {
            const ids = (await docker("ps", "--all", "--quiet", "--filter", `name=${server.name}`)).split(
                "\n",
            );
            const seen = {
                printed: printed.join("\n"),
                containers: await docker("inspect", ...ids),
                log: await docker("logs", backups.container),
                state: await server.record(),
            };
            for (const [place, text] of Object.entries(seen)) assert.ok(!text.includes(password), place);
        });

        test("is there again from the newest backup, on fresh volumes", async () => {
            await server.down();
            const left = await docker("volume", "ls", "--quiet", "--filter", `name=${server.name}`);
            assert.equal(left, `${server.name}.kept`);
            const { code, printed: said } = await server.restore(settings());
            assert.equal(code, 0, said);
            assert.match(said, /Restoring the backup \S+ of localhost/);
            await alice.findsAll();
            const [key = "", before = ""] = identity;
            assert.equal(await server.signingKey(), key);
            // All but what other servers have.
            const kept = before.split("\n").filter((line) => !/remote_content|url_cache/.test(line));
            assert.deepEqual((await files()).split("\n").sort(), kept.sort());
            assert.notEqual(kept.length, before.split("\n").length);
        });

        test("gives no one-time key out a second time", async () => {
            assert.equal(await alice.oneTimeKeys(), 0);
        });

        test("is not restored once more, and goes on to be backed up", async () => {
            await backups.first();
            const again = await server.again();
            assert.equal(again.code, 0, again.printed);
            await backups.make();
            const other = await server.up({ ...settings(), restore: "20260101T030000Z-0a0a0a" });
            assert.notEqual(other.code, 0);
            assert.match(
                other.printed,
                /this server was restored from the backup \S+, and has gone on since/,
            );
            await alice.findsAll();
        });
    });
}
