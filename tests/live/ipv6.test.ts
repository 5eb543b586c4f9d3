import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { engineVersion } from "../../components/docker/engine-version.ts";
import { engines } from "../support/deployment.ts";
import { docker } from "../support/homeserver.ts";

/** What an engine that gives all IPv6 clients one address is asked for in vain. */

const isTooOld = ((await engineVersion({})) ?? 0) < 27;

for (const engine of engines()) {
    describe(`ipv6, with ${engine.name}`, {
        skip: isTooOld ? false : "this Docker keeps clients apart",
    }, () => {
        const server = engine.deployment({
            tls: { mode: "local-ca" },
            ipv6: true,
            listenAddresses: { public: ["127.0.0.1", "::"] },
        });
        after(() => server.destroy());

        if (server.preview) {
            test("a preview says why it is refused", async () => {
                const preview = await server.preview?.();
                assert.notEqual(preview?.code, 0);
                assert.match(preview?.printed ?? "", /gives all IPv6 clients one address/);
            });
        }

        test("it is refused before there is a network or a server", async () => {
            const run = await server.up();
            assert.notEqual(run.code, 0);
            assert.match(run.printed, /gives all IPv6 clients one address/);
            for (const list of [
                ["ps", "--all"],
                ["network", "ls"],
            ]) {
                const made = await docker(
                    ...list,
                    "--format",
                    "{{.ID}}",
                    "--filter",
                    `name=^${server.name}$`,
                );
                assert.equal(made, "", list.join(" "));
            }
        });
    });
}
