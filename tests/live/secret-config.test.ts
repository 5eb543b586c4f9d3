import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { after, describe, test } from "node:test";
import { engines } from "../support/deployment.ts";
import { docker, inspect, logs } from "../support/homeserver.ts";
import { ask } from "../support/http.ts";
import { freePorts } from "../support/ports.ts";

/** Secrets reach Synapse, and nobody else. */

const PLAIN = { turn_uris: ["turn:turn.example.org"], manhole_settings: { username: "visible" } };

for (const engine of engines()) {
    const [port = 0] = await freePorts(1);
    describe(`secretConfig, with ${engine.name}`, () => {
        const first = `first-${randomBytes(12).toString("hex")}`;
        const second = `second-${randomBytes(12).toString("hex")}`;
        const refused = `refused-${randomBytes(12).toString("hex")}`;
        const server = engine.deployment({
            tls: { mode: "none" },
            extraConfig: PLAIN,
            ports: { synapse: port },
        });
        after(() => server.destroy());

        const printed: string[] = [];
        const up = async (secret: string) => {
            const run = await server.mustUp({ secretConfig: { turn_shared_secret: secret } });
            printed.push(run.printed);
        };
        const containerId = () => inspect(server.name, "{{.Id}}");
        const files = () => docker("exec", server.name, "sh", "-c", "stat -c '%u:%a %n' /secrets/*/*");

        /** With a TURN secret Synapse gives each user a password of its own, which is made with it. */
        async function isUsed(secret: string): Promise<void> {
            const login = await ask({
                port,
                path: "/_matrix/client/v3/login",
                method: "POST",
                body: JSON.stringify({
                    type: "m.login.password",
                    identifier: { type: "m.id.user", user: "alice" },
                    password: "a password of hers",
                }),
            });
            const { access_token: token } = JSON.parse(login.body) as { access_token: string };
            const headers = { authorization: `Bearer ${token}` };
            const answer = await ask({ port, path: "/_matrix/client/v3/voip/turnServer", headers });
            const { username, password, uris } = JSON.parse(answer.body) as Record<string, string>;
            assert.deepEqual(uris, PLAIN.turn_uris);
            assert.equal(
                password,
                createHmac("sha1", secret)
                    .update(username ?? "")
                    .digest("base64"),
            );
        }

        async function standsNowhere(...secrets: string[]): Promise<void> {
            const ids = (await docker("ps", "--all", "--quiet", "--filter", `name=${server.name}`)).split(
                "\n",
            );
            const seen = {
                printed: printed.join("\n"),
                containers: await docker("inspect", ...ids),
                volumes: await docker("volume", "inspect", `${server.name}-secrets`, `${server.name}-data`),
                log: await logs(server.name),
                state: await server.record(),
            };
            for (const [place, text] of Object.entries(seen)) {
                for (const secret of secrets) assert.ok(!text.includes(secret), place);
            }
        }

        test("Synapse uses it, from a file that its user alone reads", async () => {
            await up(first);
            await server.registerUser("alice", "a password of hers");
            await isUsed(first);
            assert.match(await files(), /^991:400 \/secrets\/[0-9a-f-]{36}\/homeserver\.yaml$/);
            await standsNowhere(first);
        });

        test("a second run changes nothing", async () => {
            const id = await containerId();
            const again = await server.again();
            printed.push(again.printed);
            assert.equal(again.code, 0, again.printed);
            assert.equal(await containerId(), id);
        });

        if (server.preview) {
            test("that it changes shows in the preview, and what it is does not", async () => {
                const preview = await server.preview?.({ secretConfig: { turn_shared_secret: second } });
                printed.push(preview?.printed ?? "");
                assert.match(preview?.printed ?? "", /stdin *: \[secret\]/);
                assert.match(preview?.printed ?? "", /\+-.*Container[^\n]*replace/);
                await standsNowhere(first, second);
            });
        }

        test("another one replaces the server, and the old one is kept nowhere", async () => {
            const id = await containerId();
            await up(second);
            assert.notEqual(await containerId(), id);
            await isUsed(second);
            assert.equal((await files()).split("\n").length, 1);
            await standsNowhere(first, second);
        });

        test("what Synapse refuses is not quoted, and the server goes on with what it had", async () => {
            const id = await containerId();
            // Synapse's own message has it: "{'is': '…'} is not of type 'string'".
            const secretConfig = {
                turn_shared_secret: second,
                manhole_settings: { password: { is: refused } },
            };
            const failed = await server.up({ secretConfig });
            printed.push(failed.printed);
            assert.equal(failed.code === 0, false);
            assert.match(failed.printed, /Synapse refuses this configuration/);
            assert.match(failed.printed, /manhole_settings/);
            assert.match(failed.printed, /\[secret\]/);
            assert.equal(await containerId(), id);
            await docker("restart", server.name);
            await docker(
                "exec",
                server.name,
                "curl",
                "-fsS",
                "--retry",
                "60",
                "--retry-connrefused",
                "--retry-delay",
                "1",
                "http://127.0.0.1:8008/health",
            );
            await isUsed(second);
            await standsNowhere(first, second, refused);
        });

        test("without it the volume goes, and the server runs without", async () => {
            await server.mustUp();
            assert.equal(
                await docker("volume", "ls", "--quiet", "--filter", `name=${server.name}-secrets`),
                "",
            );
        });
    });
}
