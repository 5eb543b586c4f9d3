import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Backups, somePassword } from "../support/backups.ts";
import { engines } from "../support/deployment.ts";
import { docker } from "../support/homeserver.ts";
import { Inhabitants, OPEN } from "../support/inhabitants.ts";
import { duration, killTree } from "../support/interrupted.ts";
import { freePorts } from "../support/ports.ts";

/** A restore killed at moments all over it, `KILLS` times (10 unless given): the next `up` brings all of it. */

const KILLS = Number(process.env.KILLS ?? 10);

for (const engine of engines()) {
    for (const kind of ["postgres", "sqlite"] as const) {
        describe(`a restore to ${kind} killed, with ${engine.name}`, async () => {
            const [port = 0] = await freePorts(1);
            const server = engine.deployment({
                tls: { mode: "none" },
                ports: { synapse: port },
                database: { kind },
                extraConfig: OPEN,
            });
            const kept = `${server.name}.kept`;
            const people = new Inhabitants();
            const password = somePassword();
            const settings = { backup: { repository: `volume:${kept}`, password, keep: { last: 99 } } };
            let found: unknown;
            let key = "";
            let run = "";
            let whole = 0;
            const restoring = () => ({ ...settings, restore: run });

            before(async () => {
                await server.mustUp(settings);
                await people.moveIn(port, { users: 10, rooms: 3, events: 200, files: 10 });
                const backups = new Backups(server.name);
                await backups.first();
                run = await backups.make();
                found = await people.findings(port);
                key = await server.signingKey();
            });
            after(async () => {
                await server.destroy();
                await docker("volume", "rm", "--force", kept);
            });

            async function assertRestored(told: string): Promise<void> {
                assert.deepEqual(await people.findings(port), found, told);
                await people.findFiles(port);
                assert.equal(await server.signingKey(), key, told);
            }

            /** What tasks of the stack are at work in. */
            const disposable = () =>
                docker(
                    ...["ps", "--quiet", "--filter", "label=synapse.task"],
                    ...["--filter", `label=synapse.name=${server.name}`],
                );

            test("it takes this long", { timeout: 900_000 }, async (context) => {
                await server.down();
                whole = await duration(() => server.mustUp(restoring()));
                await assertRestored("uninterrupted");
                context.diagnostic(`${whole} ms`);
            });

            for (let kill = 0; kill < KILLS; kill += 1) {
                const whom = ["the run", "the run and its containers", "the containers"][kill % 3] ?? "";
                test(`${kill + 1} of ${KILLS}: ${whom}`, { timeout: 900_000 }, async (context) => {
                    await server.down();
                    const moment = Math.round(((kill + 0.3 + 0.4 * Math.random()) / KILLS) * 0.8 * whole);
                    context.diagnostic(`after ${moment} of ${whole} ms`);
                    const up = await server.begin(restoring());
                    await sleep(moment);
                    if (whom !== "the containers") await killTree(up.process);
                    if (whom !== "the run")
                        for (const container of (await disposable()).split("\n").filter(Boolean))
                            await docker("kill", container).catch(() => undefined);
                    await up.ended;
                    if (whom !== "the containers") await server.recover();
                    await server.mustUp(restoring());
                    await assertRestored(`killed after ${moment} ms`);
                });
            }
        });
    }
}
