import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CertbotDirectory } from "../support/certificates.ts";
import { engines } from "../support/deployment.ts";
import { docker, type Run } from "../support/homeserver.ts";
import { ask } from "../support/http.ts";
import { assertIdle } from "../support/interrupted.ts";
import { assertNothingLeft } from "../support/standing.ts";

/** One throw-away stack, changed from one TLS mode to the next in place. */

for (const engine of engines()) {
    describe(`changes of tls.mode, with ${engine.name}`, () => {
        const certbot = new CertbotDirectory("localhost");
        const server = engine.deployment({ tls: { mode: "none" } });
        const environment = { NODE_EXTRA_CA_CERTS: certbot.caFile };
        let verifyKey: string | undefined;
        before(() => certbot.renew());
        after(async () => {
            await server.destroy();
            certbot.remove();
        });

        /** Asks where a mode says that clients are served, and trusts what it says is to be trusted. */
        async function assertAnswers(mode: string, { outputs }: Run): Promise<void> {
            const ports: Readonly<Record<string, keyof Run["outputs"]["publishedPorts"]>> = {
                none: "synapse",
                synapse: "federation",
                proxy: "http",
            };
            const own = mode === "local-ca" ? outputs.caCertificate : certbot.ca;
            const isPlain = mode === "none" || mode === "proxy";
            const { status } = await ask({
                port: outputs.publishedPorts[ports[mode] ?? "https"],
                path: "/_matrix/client/versions",
                ca: isPlain ? undefined : own,
            });
            assert.equal(status, 200);
        }

        for (const tls of [
            { mode: "files", directory: certbot.path },
            { mode: "synapse", directory: certbot.path },
            { mode: "files", directory: certbot.path },
            { mode: "local-ca" },
            { mode: "proxy", publicUrl: "https://localhost:8443" },
            { mode: "none" },
            { mode: "files", directory: certbot.path },
        ]) {
            test(`on to ${tls.mode}: the server answers, is the same, and nothing is left to change`, async () => {
                const run = await server.mustUp({ tls }, environment);
                await assertAnswers(tls.mode, run);
                verifyKey ??= run.outputs.verifyKey;
                assert.equal(run.outputs.verifyKey, verifyKey);
                await assertIdle(server, environment);
            });
        }

        test("what the other modes had is gone, and destroying leaves nothing behind", async () => {
            assert.equal(await docker("volume", "ls", "--quiet", "--filter", `name=${server.name}-ca`), "");
            const { code, printed } = await server.down();
            assert.equal(code, 0, printed);
            await assertNothingLeft(server.name);
        });

        test("the preview of another host says that clients must trust another CA", {
            skip: server.preview === undefined && "this engine has no preview",
        }, async () => {
            const warning = /every client must be told to trust it/;
            const tls = { mode: "local-ca" };
            await server.mustUp({ tls });
            const other = await server.preview?.({ tls, publicHost: "matrix.test" });
            assert.match(other?.printed ?? "", warning);
            const same = await server.preview?.({ tls, publicHost: "localhost", maxUploadSize: "10M" });
            assert.equal(same?.code, 0, same?.printed ?? "");
            assert.doesNotMatch(same?.printed ?? "", warning);
        });
    });
}
