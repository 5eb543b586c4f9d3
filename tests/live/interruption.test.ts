import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { engines } from "../support/deployment.ts";
import { assertIdle, duration, killed } from "../support/interrupted.ts";
import { assertNothingLeft, containersOf } from "../support/standing.ts";

/** A throw-away stack whose `up` is killed again and again, and which is destroyed in the end. */

for (const engine of engines()) {
    describe(`an interruption, with ${engine.name}`, () => {
        const server = engine.deployment({ tls: { mode: "local-ca" } });
        after(() => server.destroy());
        /** Their names, without the digests of what some of them hold. */
        const containers = async () => {
            const names = await containersOf(server.name);
            return names
                .replace(/-[0-9a-f]{12}$/gm, "")
                .split("\n")
                .sort()
                .join(" ");
        };
        let made: string;

        test("while everything is made for the first time, the next up converges", async () => {
            let whole = await duration(() => server.mustUp());
            made = await containers();
            for (const part of [0.4, 0.7]) {
                let interrupted = false;
                // Once more when the machine was busier as the time was taken.
                for (let tries = 0; tries < 3 && !interrupted; tries++) {
                    await server.down();
                    const took = await duration(async () => {
                        interrupted = await killed(server, part * whole);
                    });
                    if (!interrupted) whole = took;
                }
                assert.ok(interrupted, `after ${part} of ${whole} ms nothing was left to interrupt`);
                const { outputs } = await server.mustUp();
                assert.match(outputs.verifyKey, /^ed25519:a_\w+ [A-Za-z0-9+/]{43}$/);
                assert.equal(await containers(), made);
                await assertIdle(server);
            }
        });

        test("at five moments of an update, each next up converges with the same key", async () => {
            const key = await server.signingKey();
            // Something to do: both containers are replaced, or one of them.
            const settings = (index: number) => ({
                memory: { synapse: 2048 + index, nginx: 128 + index },
                extraConfig: { presence: { enabled: index % 2 === 0 } },
            });
            const whole = await duration(() => server.mustUp(settings(5)));
            const interruptions: boolean[] = [];
            for (const [index, part] of [0.25, 0.4, 0.5, 0.65, 0.8].entries()) {
                interruptions.push(await killed(server, part * whole, settings(index)));
                await server.mustUp(settings(index));
                assert.equal(await server.signingKey(), key);
                assert.equal(await containers(), made);
            }
            // The last may come too late on a machine that was busier when the time was taken.
            assert.ok(interruptions.filter(Boolean).length >= 3, String(interruptions));
            await assertIdle(server);
        });

        test("destroying a throw-away leaves nothing behind", async () => {
            const { code, printed } = await server.down();
            assert.equal(code, 0, printed);
            await assertNothingLeft(server.name);
        });
    });
}
