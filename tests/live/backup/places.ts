import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Backups, somePassword } from "../../support/backups.ts";
import type { Deployment, Engine } from "../../support/deployment.ts";
import { docker, images } from "../../support/homeserver.ts";
import { hasS3Server, S3Server } from "../../support/s3-server.ts";
import { SftpServer } from "../../support/sftp-server.ts";

const OTHER_KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

/** Where backups go, and what is said of a place that is not as it should be. */
export function places(engine: Engine): void {
    describe(`repositories, with ${engine.name}`, () => {
        const password = somePassword();
        let server: Deployment;
        let backups: Backups;
        let sftp: SftpServer | undefined;
        let s3: S3Server | undefined;
        let small = "";
        const undo: (() => Promise<unknown>)[] = [];
        const up = (backup: Readonly<Record<string, unknown>>) =>
            server.up({ backup: { password, keep: { last: 50 }, ...backup } });

        before(async () => {
            server = engine.deployment({ tls: { mode: "none" }, database: { kind: "sqlite" } });
            backups = new Backups(server.name);
            await server.mustUp();
        });
        after(async () => {
            // It is on the stack's network.
            await sftp?.stop();
            await server.destroy();
            for (const step of undo.reverse()) await step();
        });

        async function isBackedUp(): Promise<void> {
            await backups.first();
            await backups.make();
            const runs = await backups.runs();
            assert.deepEqual([runs.length, runs.every(({ whole }) => whole)], [2, true]);
        }

        test("by sftp, with a key of its own and a host that is known", async () => {
            const kept = await SftpServer.start(`${server.name}.sshd`, server.name);
            sftp = kept;
            const { privateKey } = kept;
            // A key that is one, and another's.
            const other = kept.knownHosts.replace(/ AAAA.*$/, ` ${OTHER_KEY}`);
            const refused = await up({
                repository: kept.repository,
                sftp: { privateKey, knownHosts: other },
            });
            assert.notEqual(refused.code, 0);
            assert.match(refused.printed, /HOST IDENTIFICATION HAS CHANGED|Host key verification failed/);
            assert.doesNotMatch(refused.printed, new RegExp(privateKey.split("\n")[2] ?? "nothing"));
            const { code, printed } = await up({
                repository: kept.repository,
                sftp: { privateKey, knownHosts: kept.knownHosts },
            });
            assert.equal(code, 0, printed);
            await isBackedUp();
        });

        test("by S3, from a server that goes away and comes back", { skip: !hasS3Server }, async () => {
            await sftp?.stop();
            const kept = await S3Server.start();
            s3 = kept;
            undo.push(() => kept.stop());
            const { repository, environment } = kept;
            const wrong = { ...environment, AWS_SECRET_ACCESS_KEY: "not the secret of the test's" };
            const refused = await up({ repository, environment: wrong });
            assert.notEqual(refused.code, 0);
            assert.match(refused.printed, /cannot be (opened|made)/);
            assert.doesNotMatch(refused.printed, /not the secret of the test's/);
            const { code, printed } = await up({ repository, environment });
            assert.equal(code, 0, printed);
            await isBackedUp();

            await kept.close();
            const away = await up({ repository, environment, every: 12 });
            assert.equal(away.code, 0, "nothing of the repository has changed");
            const gone = await up({ repository: `${repository}-other`, environment });
            assert.notEqual(gone.code, 0);
            assert.match(gone.printed, /cannot be opened[\s\S]*connection refused/);
            await kept.open();
            await backups.make();
        });

        test("one that is full says so, and takes the next when there is room", async () => {
            await s3?.close();
            small = `${server.name}.small`;
            const size = ["--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", "o=size=4m"];
            await docker("volume", "create", ...size, small);
            undo.push(() => docker("volume", "rm", "--force", small));
            // What is in memory goes with the last container that holds it.
            const holder = `${server.name}.holder`;
            const held = ["--volume", `${small}:/held`, "--entrypoint", "sleep", images.restic ?? "", "1d"];
            await docker("run", "--detach", "--name", holder, ...held);
            undo.push(() => docker("rm", "--force", holder));
            const { code, printed } = await up({ repository: `volume:${small}` });
            assert.equal(code, 0, printed);
            await isBackedUp();
            const shell = (script: string) => docker("exec", backups.container, "sh", "-c", script);
            await shell("dd if=/dev/zero of=/repository/filler bs=64k 2>/dev/null || true");
            const full = await backups.attempt();
            assert.notEqual(full.code, 0);
            assert.match(full.printed, /no space left on device/);
            await shell("rm /repository/filler");
            await backups.make();
            await shell("RESTIC_PASSWORD_FILE=$SECRETS/password restic check --read-data --quiet");
        });
    });
}
