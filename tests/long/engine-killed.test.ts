import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Backups, somePassword } from "../support/backups.ts";
import { Homeserver, images } from "../support/homeserver.ts";
import { eventually } from "../support/http.ts";
import { Inhabitants, OPEN } from "../support/inhabitants.ts";
import { freePorts } from "../support/ports.ts";
import { SecondEngine } from "../support/second-engine.ts";

/** The Docker engine killed with SIGKILL and started again: what a server said that it has, it has. */

describe("a server whose Docker engine is killed", async () => {
    const [port = 0] = await freePorts(1);
    const engine = new SecondEngine();
    const settings = {
        tls: { mode: "none" },
        ports: { synapse: port },
        database: { kind: "postgres" },
        extraConfig: OPEN,
        dockerHost: engine.host,
    };
    const server = new Homeserver(settings);
    const backups = new Backups(server.name);
    const people = new Inhabitants();
    /** Ids of all messages that the server took. */
    const taken: string[] = [];
    let backup = {};

    before(async () => {
        await engine.start();
        for (const image of Object.values(images)) await engine.take(image);
        // What the tests ask of Docker from here on, they ask of this one.
        process.env.DOCKER_HOST = engine.host;
        backup = {
            backup: { repository: `volume:${server.name}.kept`, password: somePassword(), keep: { last: 9 } },
        };
        await server.mustUp(backup);
        await people.moveIn(port, { users: 10, rooms: 2, events: 100, files: 5 });
        await backups.first();
    });
    after(async () => {
        try {
            await server.destroy();
        } finally {
            await engine.remove();
        }
    });

    /** Four people write until `act` has ended. */
    async function whileTheyWrite(act: () => Promise<void>): Promise<void> {
        let over = false;
        const write = async (member: number) => {
            for (let tries = 0; tries < 5000 && !over; tries += 1) {
                const id = await people.write(port, undefined, member).catch(() => undefined);
                if (id === undefined) await sleep(200);
                else taken.push(id);
            }
        };
        const writing = Promise.all([0, 1, 2, 3].map(write));
        try {
            await act();
        } finally {
            over = true;
            await writing;
        }
    }

    async function killAndStart(): Promise<void> {
        const before = taken.length;
        await engine.kill();
        await sleep(2000);
        await engine.start();
        await eventually(
            120,
            () => Promise.resolve(taken.length),
            (count) => count > before + 4,
        );
    }

    async function assertAllThere(): Promise<void> {
        const found = JSON.stringify(await people.findings(port));
        assert.deepEqual(
            taken.filter((id) => !found.includes(id)),
            [],
        );
        await people.findFiles(port);
        await people.logIn(port);
    }

    for (const moment of [1, 2, 3])
        test(`while people write, ${moment} of 3`, { timeout: 300_000 }, async (context) => {
            await whileTheyWrite(async () => {
                await sleep(2000 + moment * 500);
                await killAndStart();
            });
            await assertAllThere();
            context.diagnostic(`${taken.length} messages taken in all`);
        });

    test("while a backup is made: the next one is whole", { timeout: 300_000 }, async () => {
        const whole = async () => (await backups.runs()).filter((run) => run.whole).length;
        const count = await whole();
        await whileTheyWrite(async () => {
            const attempt = backups.attempt();
            await backups.until(/dump$/m);
            await killAndStart();
            assert.notEqual((await attempt).code, 0);
        });
        await backups.isThere();
        assert.equal(await whole(), count);
        await backups.make();
        assert.equal(await whole(), count + 1);
        await assertAllThere();
    });

    test("while up changes something: the next up arrives", { timeout: 600_000 }, async () => {
        const changed = { ...backup, extraConfig: { ...OPEN, presence: { enabled: false } } };
        await whileTheyWrite(async () => {
            const up = await server.begin(changed);
            await sleep(6000);
            await engine.kill();
            assert.notEqual((await up.ended).code, 0);
            await engine.start();
            await server.mustUp(changed);
        });
        await assertAllThere();
        const { code, printed } = await server.again();
        assert.equal(code, 0, printed);
    });
});
