import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { engines } from "../support/deployment.ts";
import { docker, inspect, logs, type Run } from "../support/homeserver.ts";
import { eventually } from "../support/http.ts";

/** The server's identity: made once, and never lost, remade or swapped without a word. */

for (const engine of engines()) {
    describe(`the identity, with ${engine.name}`, () => {
        const server = engine.deployment({ tls: { mode: "none" } });
        after(() => server.destroy());

        /** Runs a shell script on the data volume while nothing else uses it. */
        function onVolume(script: string): Promise<string> {
            return docker(
                "run",
                "--rm",
                "--network",
                "none",
                "--mount",
                `type=volume,src=${server.name}-data,dst=/data`,
                "--entrypoint",
                "/bin/sh",
                image,
                "-euc",
                script,
            );
        }

        let first: Run;
        let image: string;

        test("two deployments at once of nothing make one identity", async () => {
            // The engine allows one run of a stack at a time, so the generation itself is run twice beside it.
            first = await server.mustUp();
            image = await inspect(server.name, "{{.Image}}");
            const name = `${server.name}-twice`;
            await docker("volume", "create", name);
            try {
                const [script, schema] = ["generate.sh", "schema.py"].map((file) =>
                    readFileSync(new URL(`../../components/synapse/${file}`, import.meta.url), "utf8"),
                ) as [string, string];
                const run = () =>
                    docker(
                        "run",
                        "--rm",
                        "--network",
                        "none",
                        "--user",
                        "0:0",
                        "--cap-drop",
                        "ALL",
                        ...["CHOWN", "SETUID", "SETGID"].flatMap((capability) => ["--cap-add", capability]),
                        "--mount",
                        `type=volume,src=${name},dst=/data`,
                        "--env",
                        "SERVER_NAME=localhost",
                        "--env",
                        "REPORT_STATS=no",
                        "--env",
                        "KEY_ROTATION=0",
                        "--env",
                        "OWNER=991:991",
                        "--env",
                        "COMPILED=/tmp/compiled/test",
                        "--env",
                        `SCHEMA_PY=${schema}`,
                        "--env",
                        `TASK_SCRIPT=${script}`,
                        "--entrypoint",
                        "/bin/sh",
                        image,
                        "-euc",
                        script,
                    );
                const printed = await Promise.all([run(), run(), run()]);
                assert.equal(new Set(printed).size, 1);
                assert.match(printed[0] ?? "", /^localhost ed25519:a_\w+ [A-Za-z0-9+/]{43}$/);
            } finally {
                await docker("volume", "rm", name);
            }
        });

        test("the server does not start without its signing key, at a restart either, and makes no other", async () => {
            await docker("stop", server.name);
            await onVolume("mv /data/localhost.signing.key /data/saved");
            await docker("start", server.name);
            await eventually(
                20,
                () => inspect(server.name, "{{.RestartCount}}"),
                (count) => Number(count) > 0,
            );
            assert.match(await logs(server.name), /localhost\.signing\.key is missing: refusing to start/);
            await docker("stop", server.name);
            assert.equal(await onVolume("ls /data | grep -c signing.key || true"), "0");
        });

        test("a volume with a database and no key is refused, and nothing is made", async () => {
            const run = await server.up({ extraConfig: { presence: { enabled: false } }, reportStats: true });
            assert.notEqual(run.code, 0);
            assert.match(run.printed, /holds a database but not the signing key/);
            assert.equal(await onVolume("ls /data | grep -c signing.key || true"), "0");
        });

        test("a key that differs from the recorded one is refused", async () => {
            await onVolume(
                "echo 'ed25519 a_Evil AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' > /data/localhost.signing.key; chown 991:991 /data/localhost.signing.key",
            );
            const run = await server.up({ reportStats: true });
            assert.notEqual(run.code, 0);
            assert.match(run.printed, /the last deployment recorded/);
        });

        test("a restored key that cannot be used is refused, with the file and what to do", async () => {
            const key = "/data/localhost.signing.key";
            for (const [restore, refusal] of [
                [
                    `cp /data/saved ${key}; chown 0:0 ${key}; chmod 0600 ${key}`,
                    /belongs to the user 0:0.*chown 991:991/s,
                ],
                [
                    `chown 991:991 ${key}; echo nonsense >${key}`,
                    /signing\.key is no signing key\..*one line/s,
                ],
                [`echo 'ed25519 a_Bad AAAA' >${key}`, /signing\.key is no signing key\./],
            ] as const) {
                await onVolume(restore);
                const run = await server.up({ reportStats: true });
                assert.notEqual(run.code, 0);
                assert.match(run.printed, /Refused, and nothing was touched/);
                assert.match(run.printed, refusal);
            }
        });

        test("a key that was restored without its final newline is the same key", async () => {
            const key = "/data/localhost.signing.key";
            await onVolume(`printf %s "$(cat /data/saved)" >${key}; rm /data/saved`);
            const restored = await server.mustUp({ reportStats: true });
            assert.equal(restored.outputs.verifyKey, first.outputs.verifyKey);
        });

        test("a volume that belongs to another server is refused", async () => {
            await onVolume("touch /data/other.test.signing.key");
            // Other than the last run, so that the generation run looks at all.
            const run = await server.up();
            assert.notEqual(run.code, 0);
            assert.match(run.printed, /belongs to another server: it holds other\.test\.signing\.key/);
            await onVolume("rm /data/other.test.signing.key");
            const { verifyKey } = (await server.mustUp()).outputs;
            assert.equal(verifyKey, first.outputs.verifyKey);
        });

        test("a throw-away may become another server", async () => {
            const run = await server.mustUp({ serverName: "renamed.test" });
            assert.notEqual(run.outputs.verifyKey, first.outputs.verifyKey);
            first = await server.mustUp();
        });
    });
}
