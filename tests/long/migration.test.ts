import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { after, describe, test } from "node:test";
import { type Deployment, engines } from "../support/deployment.ts";
import { docker, images, inspect } from "../support/homeserver.ts";
import { ask, eventually } from "../support/http.ts";
import { Inhabitants, OPEN } from "../support/inhabitants.ts";
import { killTree, moverOf } from "../support/interrupted.ts";
import { freePorts } from "../support/ports.ts";

/**
 * The way from SQLite to PostgreSQL, killed at random moments, `KILLS` times in all (10 unless given), and with full
 * disks: nothing is ever lost, and the next `up` arrives.
 */

const KILLS = Number(process.env.KILLS ?? 10);
const SIZE = { users: 50, rooms: 5, events: Number(process.env.EVENTS ?? 1000) / 5, files: 20 };

const ON_SQLITE = { database: { kind: "sqlite" } };
const ON_POSTGRES = { database: { kind: "postgres" } };

/** A command as root in a disposable container with a volume. */
function inVolume(volume: string, script: string, ...more: string[]): Promise<string> {
    const place = ["--rm", "--network", "none", "--user", "0:0", "-v", `${volume}:/volume`, ...more];
    return docker("run", ...place, "--entrypoint", "sh", images.postgres ?? "", "-euc", script);
}

/** Kills the first process of a container, as the kernel does when memory is short. */
async function killMain(container: string): Promise<void> {
    const pid = await inspect(container, "{{.State.Pid}}");
    const place = ["--rm", "--pid=host", "--user=0", "--entrypoint=kill"];
    await docker("run", ...place, images.postgres ?? "", "-9", pid);
}

const settings = (port: number) => ({ tls: { mode: "none" }, ports: { synapse: port }, extraConfig: OPEN });

for (const engine of engines()) {
    describe(`the move to PostgreSQL killed, with ${engine.name}`, async () => {
        const [port = 0] = await freePorts(1);
        const server = engine.deployment(settings(port));
        const people = new Inhabitants();
        const kept = `${server.name}-kept`;
        let before: unknown;
        let key: string;
        after(async () => {
            await server.destroy();
            // Made by no deployment.
            await docker("volume", "rm", "--force", kept, `${server.name}-data`);
        });

        /** Everything as it was, on SQLite. */
        async function backToSqlite(): Promise<void> {
            await server.down();
            for (const volume of ["data", "postgres"])
                await docker("volume", "rm", "--force", `${server.name}-${volume}`);
            await inVolume(`${server.name}-data`, "cp -a /kept/. /volume/", "-v", `${kept}:/kept:ro`);
            await server.mustUp(ON_SQLITE);
        }

        async function assertMoved(told: string): Promise<void> {
            // The first requests after PostgreSQL was killed meet connections that are none any more.
            const found = await eventually(
                60,
                () => people.findings(port),
                () => true,
            );
            assert.deepEqual(found, before, told);
            await people.findFiles(port);
            assert.equal(await server.signingKey(), key, told);
            const files = (await docker("exec", server.name, "ls", "-A", "/data")).split("\n");
            assert.equal(files.filter((file) => /^homeserver\.db\.20/.test(file)).length, 1, told);
            assert.ok(!files.includes("homeserver.db") && !files.includes(".moving-to-postgres"), told);
        }

        let whole = 0;

        test("it takes this long", { timeout: 3_600_000 }, async (context) => {
            await server.mustUp(ON_SQLITE);
            await people.moveIn(port, SIZE);
            before = await people.findings(port);
            key = await server.signingKey();
            await docker("stop", server.name);
            await inVolume(kept, "cp -a /data/. /volume/", "-v", `${server.name}-data:/data:ro`);
            const up = await server.begin(ON_POSTGRES);
            await eventually(
                300,
                () => moverOf(server.name),
                (id) => id !== "",
            );
            const began = Date.now();
            await eventually(
                900,
                () => moverOf(server.name),
                (id) => id === "",
            );
            whole = Date.now() - began;
            const { code, printed } = await up.ended;
            assert.equal(code, 0, printed);
            await assertMoved("uninterrupted");
            context.diagnostic(`${whole} ms`);
        });

        const victims: Record<
            string,
            (deployment: Deployment, up: () => Promise<void>, mover: string) => Promise<unknown>
        > = {
            "the run and its container": async (_, up, mover) => {
                await up();
                await docker("kill", mover).catch(() => undefined);
            },
            "the run, whose container goes on": (_, up) => up(),
            "the container": (_, __, mover) => docker("kill", mover).catch(() => undefined),
            PostgreSQL: ({ name }) => killMain(`${name}-postgres`),
            "PostgreSQL and the run": async ({ name }, up) => {
                await killMain(`${name}-postgres`);
                await up();
            },
        };
        const order = Object.entries(victims);

        for (let round = 0; round < KILLS; round += 1) {
            const [victim, kill] = order[round % order.length] ?? order[0] ?? assert.fail();
            test(`killed: ${victim}, round ${round + 1}`, { timeout: 1_800_000 }, async (context) => {
                await backToSqlite();
                const moment = randomInt(0, whole);
                const up = await server.begin(ON_POSTGRES);
                const mover = await eventually(
                    300,
                    () => moverOf(server.name),
                    (id) => id !== "",
                );
                await new Promise((resolve) => setTimeout(resolve, moment));
                await kill(server, () => killTree(up.process), mover);
                const { code } = await up.ended;
                if (code === null) await server.recover();
                const told = `${victim} killed after ${moment} ms of ${whole}; up ended with ${code}`;
                context.diagnostic(told);
                await server.mustUp(ON_POSTGRES);
                await assertMoved(told);
            });
        }
    });

    describe(`full disks, with ${engine.name}`, async () => {
        const [port = 0] = await freePorts(1);
        const server = engine.deployment(settings(port));
        const people = new Inhabitants();
        const holder = `${server.name}-holder`;
        let before: unknown;
        after(async () => {
            await docker("rm", "--force", holder);
            await server.destroy();
            // Made by no deployment.
            await docker("volume", "rm", "--force", `${server.name}-data`, `${server.name}-postgres`);
        });

        const hold = (script: string) => docker("exec", holder, "sh", "-euc", script);
        const assertOnSqlite = async () => {
            await eventually(
                60,
                () => ask({ port, path: "/_matrix/client/versions" }),
                ({ status }) => status === 200,
            );
            assert.deepEqual(await people.findings(port), before);
            await people.findFiles(port);
        };

        test("a server stands on small disks", { timeout: 600_000 }, async () => {
            for (const [volume, size] of [
                ["postgres", 400],
                ["data", 200],
            ] as const) {
                const options = [
                    ["type", "tmpfs"],
                    ["device", "tmpfs"],
                    ["o", `size=${size}m`],
                ].flatMap((option) => ["--opt", option.join("=")]);
                await docker("volume", "create", ...options, `${server.name}-${volume}`);
            }
            // Such a volume loses its content when nobody mounts it.
            const mounts = ["postgres", "data"].flatMap((volume) => [
                "-v",
                `${server.name}-${volume}:/${volume}`,
            ]);
            const place = ["--name", holder, "--network", "none", "--user", "0:0", ...mounts];
            await docker("run", "-d", ...place, "--entrypoint", "sleep", images.postgres ?? "", "infinity");
            await server.mustUp(ON_SQLITE);
            await people.moveIn(port, { users: 5, rooms: 2, events: 100, files: 3 });
            before = await people.findings(port);
        });

        for (const [disk, free] of [
            // Too few for a database, and for its tables.
            ["postgres", 20],
            ["postgres", 60],
            ["data", 0],
        ] as const) {
            test(`${free} MiB on the disk of ${disk} are too few, and say so`, {
                timeout: 600_000,
            }, async (context) => {
                if (free > 0)
                    await hold(
                        `fallocate -l $(($(df -Pm /${disk} | awk 'END { print $4 }') - ${free}))M /${disk}/filler`,
                    );
                if (free === 0) await hold(`dd if=/dev/zero of=/${disk}/filler2 bs=4k 2>/dev/null || true`);
                try {
                    const run = await server.up(ON_POSTGRES);
                    assert.notEqual(run.code, 0, run.printed);
                    assert.match(run.printed, /No space left on device|Check free disk space|disk is full/);
                    context.diagnostic(run.printed.slice(-1500));
                } finally {
                    await hold(`rm -f /${disk}/filler /${disk}/filler2`);
                }
                await assertOnSqlite();
            });
        }

        test("with space again it arrives", { timeout: 600_000 }, async () => {
            await server.mustUp(ON_POSTGRES);
            await assertOnSqlite();
            const psql = ["psql", "-qtA", "-c", "SELECT count(*) FROM users"];
            assert.equal(await docker("exec", `${server.name}-postgres`, ...psql), "5");
        });
    });
}
