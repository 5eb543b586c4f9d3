import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { engines } from "../support/deployment.ts";
import { docker, inspect, type Run } from "../support/homeserver.ts";
import { ask } from "../support/http.ts";

/** Whose a server is, when the state that made it is lost or somebody else's. */

for (const engine of engines()) {
    describe(`a lost state, with ${engine.name}`, () => {
        const server = engine.deployment({ tls: { mode: "none" } });
        let first: Run;
        let id: string;
        before(async () => {
            first = await server.mustUp();
            id = await inspect(server.name, '{{index .Config.Labels "synapse.deployment"}}');
        });
        after(() => server.destroy());

        /** Everything of the stack on the Docker host, and when its server started. */
        async function standing(): Promise<string> {
            const filter = ["--filter", `name=${server.name}`];
            const lists = await Promise.all([
                docker("ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Names}}", ...filter),
                docker("volume", "ls", "--quiet", ...filter),
                docker("network", "ls", "--no-trunc", "--quiet", ...filter),
                inspect(server.name, "{{.State.StartedAt}}"),
            ]);
            return lists.join("\n");
        }

        function assertRefused({ code, printed }: Run): void {
            assert.notEqual(code, 0, printed);
            assert.match(id, /^[0-9a-f]{16}$/);
            assert.match(
                printed,
                new RegExp(`container ${server.name}, of deployment ${id}, there since \\S+, running`),
            );
            assert.match(printed, new RegExp(`volume ${server.name}-data, of deployment ${id}`));
            assert.ok(printed.includes(`synapse:takeOver[0]' ${id}`), printed);
            assert.match(printed, /Nothing was touched/);
        }

        test("another deployment of the name is refused before anything is touched, and told what stands there", async () => {
            const before = await standing();
            await server.forget();
            if (server.preview) assertRefused(await server.preview());
            assertRefused(await server.up());
            assertRefused(await server.up({ takeOver: ["0000000000000000"] }));
            assert.equal(await standing(), before);
            const path = "/_matrix/client/versions";
            assert.equal((await ask({ port: first.outputs.publishedPorts.synapse, path })).status, 200);
        });

        test("taken over by its id, it is the same server, and the setting has done its work", async () => {
            const before = await inspect(server.name, "{{.Id}}");
            const taken = await server.mustUp({ takeOver: [id] });
            assert.equal(taken.outputs.verifyKey, first.outputs.verifyKey);
            assert.notEqual(await inspect(server.name, "{{.Id}}"), before);
            const again = await server.again();
            assert.equal(again.code, 0, again.printed);
            const without = await server.mustUp({ memory: { synapse: 1536 } });
            assert.equal(without.outputs.verifyKey, first.outputs.verifyKey);
        });
    });
}
