import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { engines } from "../support/deployment.ts";
import { docker, inspect, type Run } from "../support/homeserver.ts";
import { ask } from "../support/http.ts";

/** Federation on the clients' port, and none at all: with the verification's own questions at each `up`. */

const SUPPORT = { contacts: [{ role: "m.role.admin", email_address: "it's $me@example.org" }] };
const KEY = "/_matrix/key/v2/server";

for (const engine of engines()) {
    describe(`federation, with ${engine.name}`, () => {
        const wellKnown = { client: { "org.example.key": { a: 1 } }, support: SUPPORT };
        const server = engine.deployment({ tls: { mode: "local-ca" }, wellKnown });
        after(() => server.destroy());

        const get = ({ outputs }: Run, path: string) =>
            ask({ port: outputs.publishedPorts.https, path, ca: outputs.caCertificate });
        const json = async (run: Run, path: string): Promise<unknown> =>
            JSON.parse((await get(run, path)).body);
        const publishedByNginx = async () =>
            Object.keys(JSON.parse(await inspect(server.nginx, "{{json .NetworkSettings.Ports}}")) as object);

        test("on 443 alone it is served there, said there, and published nowhere else", async () => {
            const run = await server.mustUp({ federation: { port: 443 } });
            const authority = `localhost:${run.outputs.publishedPorts.https}`;
            assert.equal(
                (run.outputs as unknown as { federationAddress: string }).federationAddress,
                authority,
            );
            assert.equal((await get(run, KEY)).status, 200);
            assert.ok(!(await publishedByNginx()).includes("8448/tcp"));
            assert.equal("federation" in run.outputs.publishedPorts, false);
            assert.match(JSON.stringify(await json(run, "/.well-known/matrix/server")), /"localhost:443"/);
            assert.deepEqual(await json(run, "/.well-known/matrix/support"), SUPPORT);
            const { "org.example.key": added } = (await json(run, "/.well-known/matrix/client")) as Record<
                string,
                unknown
            >;
            assert.deepEqual(added, { a: 1 });
        });

        test("turned off, neither nginx nor Synapse has it, and the verification says so", async () => {
            const run = await server.mustUp({ federation: { enabled: false } });
            for (const path of [KEY, "/_matrix/federation/v1/version", "/_matrix/%66ederation/v1/version"]) {
                assert.equal((await get(run, path)).status, 404, path);
            }
            assert.equal((await get(run, "/.well-known/matrix/server")).status, 404);
            assert.equal((await get(run, "/_matrix/client/versions")).status, 200);
            const direct = await ask({ port: run.outputs.publishedPorts.synapse, path: KEY });
            assert.equal(direct.status, 404);
            const config = await docker("exec", server.name, "cat", "/config/homeserver.yaml");
            assert.match(config, /^federation_domain_whitelist: \[\]$/m);
        });
    });
}
