import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { dump } from "js-yaml";
import { open } from "../../commands/key/sealed.ts";
import { processes, type Typed, type } from "../support/commands.ts";
import { type Deployment, engines } from "../support/deployment.ts";
import { docker, images, logs } from "../support/homeserver.ts";
import { ask } from "../support/http.ts";
import { PulumiDeployment } from "../support/pulumi-deployment.ts";

/** `npm run key`: a server's identity goes from one stack to another that is not there yet. */

const ROOT = join(import.meta.dirname, "../..");
const PASSPHRASE = "five words for a test";

for (const engine of engines()) {
    describe(`npm run key, with ${engine.name}`, () => {
        const directory = mkdtempSync(join(tmpdir(), "key-"));
        const file = join(directory, "key.age");
        const settings = { tls: { mode: "none" } };
        const server = engine.deployment(settings);
        const next = engine.deployment({ ...settings, signingKey: { rotation: 2 } });
        after(async () => {
            rmSync(directory, { recursive: true });
            rmSync(settingsFile(next), { force: true });
            await server.destroy();
            await next.destroy();
        });

        const key = (
            of: Deployment,
            args: readonly string[],
            more: { input?: string; look?: () => string } = {},
        ) =>
            type("key/key.ts", [...args, "--stack", of.stack], {
                ...more,
                environment: of instanceof PulumiDeployment ? of.cli.place.env : {},
            });
        const importInto = (of: Deployment, input = `${PASSPHRASE}\n`) =>
            key(of, ["import", file], { input });

        /** Runs a shell script on the next server's data volume, which need not have been used. */
        const onVolume = (script: string) =>
            docker(
                ...[
                    "run",
                    "--rm",
                    "--network",
                    "none",
                    "--mount",
                    `type=volume,src=${next.name}-data,dst=/data`,
                ],
                ...["--entrypoint", "/bin/sh", images.synapse ?? "", "-euc", script],
            );

        let verifyKey = "";
        let signingKey = "";

        test("rotate says what it would do, and does nothing", async () => {
            verifyKey = (await server.mustUp()).outputs.verifyKey;
            const { code, stdout, stderr } = await key(server, ["rotate"]);
            assert.equal(code, 0, stderr);
            assert.ok(stdout.includes(`has the key ${verifyKey.split(" ")[0]}; `), stdout);
            assert.match(stdout, server instanceof PulumiDeployment ? /rotation 1 --stack/ : /rotation: 1$/m);
            assert.equal((await server.again()).code, 0);
            verifyKey = (await server.mustUp({ signingKey: { rotation: 1 } })).outputs.verifyKey;
            assert.match((await key(server, ["rotate"])).stdout, /rotation is 1\.[\s\S]*rotation:? 2/);
        });

        test("export writes it encrypted, and nobody sees it", async () => {
            signingKey = await server.signingKey();
            const seed = signingKey.trim().split(" ")[2] ?? "";
            assert.equal(seed.length, 43);
            const exported = await key(server, ["export", "--output", file], {
                input: `${PASSPHRASE}\n`,
                look: () => processes() + readFileSync("/proc/mounts", "utf8"),
            });
            assert.equal(exported.code, 0, exported.stderr);
            assert.equal(exported.stdout, "");
            assert.equal(statSync(file).mode & 0o777, 0o600);
            const text = readFileSync(file, "utf8");
            assert.match(text, /^-----BEGIN AGE ENCRYPTED FILE-----\n/);
            const seen = [...exported.seen, exported.stderr, text, await logs(server.name)];
            assert.ok(
                exported.seen.some((look) => look.includes("read-key") || look.includes("signing.key")),
            );
            for (const secret of [seed, PASSPHRASE])
                for (const look of seen) assert.ok(!look.includes(secret));

            const opened = await open(text, PASSPHRASE);
            assert.deepEqual([opened.serverName, opened.verifyKey], ["localhost", verifyKey]);
            assert.equal(opened.signingKey.trim(), signingKey.trim());
            assert.equal(Object.keys(opened.oldSigningKeys).length, 1);
            assert.equal(Object.keys(opened.replacedKeys).length, 1);
        });

        test("export writes over no file, and takes no short passphrase", async () => {
            const before = readFileSync(file, "utf8");
            refused(
                await key(server, ["export", "--output", file], { input: PASSPHRASE }),
                /is there already/,
            );
            assert.equal(readFileSync(file, "utf8"), before);
            refused(await key(server, ["export"], { input: "short\n" }), /at least 12 characters/);
        });

        test("export needs no server that runs, and reads the passphrase from a file", async () => {
            await docker("stop", server.name);
            const passphrase = join(directory, "passphrase");
            writeFileSync(passphrase, `${PASSPHRASE}\n`);
            const { code, stdout, stderr } = await key(server, ["export", "--passphrase-file", passphrase]);
            assert.equal(code, 0, stderr);
            assert.equal((await open(stdout, PASSPHRASE)).verifyKey, verifyKey);
        });

        test("import refuses what it cannot do, and touches nothing", async () => {
            refused(await importInto(next), /There is no Pulumi\..*\.yaml here/);
            writeSettings(next, { serverName: "example.org" });
            refused(await importInto(next), /is that of localhost, and the stack .* is of example\.org/);
            writeSettings(next);
            refused(
                await importInto(next, "another passphrase\n"),
                /cannot be opened: the passphrase is another/,
            );
            for (const [held, refusal] of [
                ["localhost.signing.key", /holds a signing key, localhost\.signing\.key/],
                ["other.org.signing.key", /holds a signing key, other\.org\.signing\.key/],
                ["homeserver.db", /holds a database/],
                ["something", /is not empty: it holds something/],
            ] as const) {
                await onVolume(`echo ${held} >/data/${held}; chown 991:991 /data /data/*`);
                refused(await importInto(next), refusal);
                assert.equal(await onVolume(`ls /data; cat /data/*; rm /data/${held}`), `${held}\n${held}`);
            }
            await docker("volume", "rm", `${next.name}-data`);
        });

        test("an import that was broken off is not taken for a new server", async () => {
            await onVolume("touch /data/.key-imported; chown 991:991 /data");
            const run = await next.up();
            assert.notEqual(run.code, 0);
            assert.match(run.printed, /an import of a signing key into the data volume was broken off/);
        });

        test("import brings it to a server that is not there yet, and the first deployment keeps it", async () => {
            for (const _ of [1, 2]) {
                const imported = await importInto(next);
                assert.equal(imported.code, 0, imported.stderr);
            }
            assert.match(await onVolume("stat -c '%u:%g %a' /data/localhost.signing.key"), /^991:991 600$/);
            const { outputs } = await next.mustUp();
            assert.equal(outputs.verifyKey, verifyKey);
            assert.equal(await next.signingKey(), signingKey);
            const answer = await ask({
                port: outputs.publishedPorts.synapse,
                path: "/_matrix/key/v2/server",
            });
            const { old_verify_keys } = JSON.parse(answer.body) as { old_verify_keys: object };
            assert.deepEqual(
                Object.keys(old_verify_keys),
                Object.keys((await open(readFileSync(file, "utf8"), PASSPHRASE)).oldSigningKeys),
            );
            assert.equal((await next.again()).code, 0);
        });

        test("import refuses a server that is there, and that can be given another key", async () => {
            refused(await importInto(next), /holds a signing key/);
            const rotated = await next.mustUp({ signingKey: { rotation: 3 } });
            assert.notEqual(rotated.outputs.verifyKey, verifyKey);
        });
    });
}

function refused({ code, stderr }: Typed, message: RegExp): void {
    assert.equal(code, 1);
    assert.match(stderr, message);
}

function settingsFile({ stack }: Deployment): string {
    return join(ROOT, `Pulumi.${stack}.yaml`);
}

function writeSettings(of: Deployment, more: object = {}): void {
    const settings = { serverName: "localhost", images, ...more };
    const config = Object.fromEntries(
        Object.entries<unknown>(settings).map(([name, value]) => [`synapse:${name}`, value]),
    );
    writeFileSync(settingsFile(of), dump({ config }));
}
