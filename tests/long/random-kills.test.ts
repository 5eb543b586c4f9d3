import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { CertbotDirectory } from "../support/certificates.ts";
import { engines, type Settings } from "../support/deployment.ts";
import { docker, images, inspect, type Run } from "../support/homeserver.ts";
import { ask } from "../support/http.ts";
import { assertIdle, duration, killed } from "../support/interrupted.ts";

/**
 * `up` killed at random moments of everything that it does, `KILLS` times in all (40 unless given): each time the next
 * `up` converges to a server that answers with the same key, and nothing is left to change.
 */

const KILLS = Number(process.env.KILLS ?? 40);

for (const engine of engines()) {
    describe(`random kills, with ${engine.name}`, () => {
        const certbot = new CertbotDirectory("localhost");
        const environment = { NODE_EXTRA_CA_CERTS: certbot.caFile };
        const server = engine.deployment({});
        const otherImage = `${server.name}:other`;
        const modes = [
            { mode: "local-ca" },
            { mode: "files", directory: certbot.path },
            { mode: "none" },
            { mode: "synapse", directory: certbot.path },
        ] as const;
        let settings: Settings = { tls: modes[0], images };

        before(async () => {
            certbot.renew();
            const container = await docker("create", images.synapse ?? "");
            await docker("commit", "--change", "LABEL made.by=a-test", container, otherImage);
            await docker("rm", container);
            await server.mustUp(settings, environment);
        });
        after(async () => {
            await server.destroy();
            await docker("image", "rm", "--force", otherImage);
            certbot.remove();
        });

        /** The signing key on the data volume; empty before there is one. */
        async function keyOnVolume(): Promise<string> {
            const volume = `${server.name}-data`;
            const known = await docker("volume", "ls", "--quiet", "--filter", `name=^${volume}$`);
            if (known === "") return "";
            const mount = ["--mount", `type=volume,src=${volume},dst=/data,readonly`];
            const read = [
                "--entrypoint",
                "sh",
                images.synapse ?? "",
                "-c",
                "cat /data/*.signing.key || true",
            ];
            return docker("run", "--rm", "--network", "none", "--user", "0:0", ...mount, ...read);
        }

        async function assertAnswers({ outputs }: Run): Promise<void> {
            const { mode } = settings.tls as (typeof modes)[number];
            const ports = outputs.publishedPorts;
            const port = { none: ports.synapse, synapse: ports.federation }[mode as string] ?? ports.https;
            const own = mode === "local-ca" ? outputs.caCertificate : certbot.ca;
            const ca = mode === "none" ? undefined : own;
            assert.equal((await ask({ port, path: "/_matrix/client/versions", ca })).status, 200);
            const image = String((settings.images as typeof images).synapse);
            assert.equal(await inspect(server.name, "{{.Image}}"), await inspect(image, "{{.Id}}"));
        }

        const changes: Record<string, () => Promise<Settings> | Settings> = {
            "the first deployment": async () => {
                assert.equal((await server.down()).code, 0);
                return settings;
            },
            "a changed setting": () => {
                const { presence } = (settings.extraConfig ?? {}) as { presence?: { enabled: boolean } };
                return { ...settings, extraConfig: { presence: { enabled: presence?.enabled === false } } };
            },
            "a changed image": () => {
                const { synapse } = settings.images as typeof images;
                return {
                    ...settings,
                    images: { ...images, synapse: synapse === otherImage ? images.synapse : otherImage },
                };
            },
            "a changed TLS mode": () => {
                const at = modes.findIndex(({ mode }) => mode === (settings.tls as { mode: string }).mode);
                return { ...settings, tls: modes[(at + 1) % modes.length] };
            },
        };

        for (const [name, change] of Object.entries(changes)) {
            const wanted = Math.ceil(KILLS / Object.keys(changes).length);
            test(`${wanted} in ${name}`, { timeout: wanted * 180_000 }, async (context) => {
                settings = await change();
                let whole = await duration(() => server.mustUp(settings, environment));
                const moments: number[] = [];
                // Some come when all is done.
                for (let tries = 0; moments.length < wanted; tries += 1) {
                    assert.ok(tries < 3 * wanted, `${moments.length} of ${tries} kills were in time`);
                    const moment = randomInt(300, whole);
                    settings = await change();
                    const before = await keyOnVolume();
                    let wasInTime = false;
                    const took = await duration(async () => {
                        wasInTime = await killed(server, moment, settings, environment);
                    });
                    if (wasInTime) moments.push(moment);
                    else whole = Math.min(whole, took);
                    const told = `killed after ${moment} ms of ${whole}`;
                    const key = await keyOnVolume();
                    if (before !== "") assert.equal(key, before, told);
                    const run = await server.mustUp(settings, environment);
                    if (key !== "") assert.equal(await server.signingKey(), key, told);
                    await assertAnswers(run);
                    await assertIdle(server, environment);
                }
                context.diagnostic(`killed after ${moments.join(", ")} ms, of ${whole}`);
            });
        }
    });
}
