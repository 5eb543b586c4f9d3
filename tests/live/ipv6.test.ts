import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { engineVersion } from "../../components/docker/engine-version.ts";
import { engines } from "../support/deployment.ts";
import { docker, inspect } from "../support/homeserver.ts";

/** A network with IPv6: what an engine that gives all its clients one address is asked for in vain, and the way there and back. */

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
                const made = await docker(...list, "--format", "{{.ID}}", "--filter", `name=^${server.name}`);
                assert.equal(made, "", list.join(" "));
            }
        });
    });
}

for (const engine of engines()) {
    describe(`ipv6 for a server that runs, with ${engine.name}`, () => {
        // The engine is too old for it, and nobody comes from outside.
        const withIpv6 = { ipv6: true, ip6tables: true };
        const server = engine.deployment({ tls: { mode: "none" } });
        let port: number;
        before(async () => {
            port = (await server.mustUp()).outputs.publishedPorts.synapse;
        });
        after(() => server.destroy());
        const answers = async () => (await fetch(`http://127.0.0.1:${port}/_matrix/client/versions`)).status;
        const networks = async () => {
            const names = await docker(
                "network",
                "ls",
                "--format",
                "{{.Name}}",
                "--filter",
                `name=^${server.name}`,
            );
            return names.split("\n").sort();
        };

        test("it is not touched when its new configuration is refused", async () => {
            const running = await inspect(server.name, "{{.Id}} {{.State.StartedAt}}");
            const run = await server.up({ ...withIpv6, extraConfig: { url_preview_enabled: true } });
            assert.notEqual(run.code, 0);
            assert.match(run.printed, /url_preview_ip_range_blacklist/);
            assert.equal(await inspect(server.name, "{{.Id}} {{.State.StartedAt}}"), running);
            assert.equal(await answers(), 200);
        });

        test("it moves to another network, on which it has an address, and back", async () => {
            const key = await server.signingKey();
            const address = () =>
                inspect(server.name, "{{range .NetworkSettings.Networks}}{{.GlobalIPv6Address}}{{end}}");
            port = (await server.mustUp(withIpv6)).outputs.publishedPorts.synapse;
            assert.equal(await answers(), 200);
            assert.match(await address(), /^fd/);
            assert.deepEqual(await networks(), [`${server.name}-ipv6`]);
            port = (await server.mustUp()).outputs.publishedPorts.synapse;
            assert.equal(await answers(), 200);
            assert.equal(await address(), "");
            assert.deepEqual(await networks(), [server.name]);
            assert.equal(await server.signingKey(), key);
        });
    });
}
