import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { engines } from "../support/deployment.ts";
import { FakeDns } from "../support/fake-dns.ts";
import { docker, images, type Run } from "../support/homeserver.ts";
import { freePorts } from "../support/ports.ts";

/** What a deployment says about the server that it brought up: at its own addresses, and on the internet. */

const NAME = "example.org";
const HOST = "matrix.example.org";

for (const engine of engines()) {
    describe(`the verification, with ${engine.name}`, async () => {
        const [http = 0, https = 0, federation = 0, synapse = 0] = await freePorts(4);
        const server = engine.deployment({
            serverName: NAME,
            publicHost: HOST,
            tls: { mode: "local-ca" },
            ports: { http, https, federation, synapse },
            listenAddresses: { public: ["0.0.0.0", "::1"] },
        });
        let dns: FakeDns;
        let environment: { VERIFICATION_DNS: string };
        let first: Run;
        before(async () => {
            dns = await FakeDns.start({ [HOST]: ["127.0.0.1"] });
            environment = { VERIFICATION_DNS: dns.address };
            if (server.preview) await previewed(server.preview);
            first = await server.mustUp({}, environment);
        });
        after(async () => {
            await server.destroy();
            dns.stop();
        });

        /** A first deployment, of which only the DNS can be known. */
        async function previewed(preview: typeof server.preview & object): Promise<void> {
            const { code, printed } = await preview.call(server, {}, environment);
            assert.equal(code, 0, printed);
            assert.match(printed, /example\.org: other servers do not find this server/);
            assert.doesNotMatch(printed, /whoever is led to/);
        }

        test("a name that other servers cannot follow is a warning and an output, and no failure", () => {
            assert.match(
                first.printed,
                /example\.org: other servers do not find this server, so there is no federation\./,
            );
            assert.ok(first.printed.includes(`wanted: {"m.server":"${HOST}:${federation}"}`), first.printed);
            assert.equal(first.outputs.warnings.length, 2, first.outputs.warnings.join("\n"));
            const [servers = "", clients = ""] = first.outputs.warnings;
            assert.match(
                servers,
                /asked: {2}https:\/\/example\.org\/\.well-known\/matrix\/server, then example\.org:8448/,
            );
            assert.match(
                clients,
                /^example\.org: clients that are told this name alone do not find the server/,
            );
        });

        test("it is said again as long as it is so, without a change", async () => {
            const again = await server.again(environment);
            assert.equal(again.code, 0, again.printed);
            assert.match(again.printed, /example\.org: other servers do not find this server/);
        });

        test("once the DNS leads other servers here, with a good certificate and key, it is not said any more", async () => {
            dns.zone = {
                [HOST]: ["127.0.0.1"],
                [`_matrix-fed._tcp.${NAME}`]: { target: HOST, port: federation },
            };
            // The Pulumi CLI also prints how its outputs have changed, and so what was said before.
            const { warnings } = (await server.mustUp({}, environment)).outputs;
            assert.equal(warnings.length, 1, warnings.join("\n"));
            assert.doesNotMatch(String(warnings), /other servers do not find/);
        });

        test("an address at which it does not answer fails the deployment, changed or not, and is named", async () => {
            // The second address has ports of its own in nginx: there they are taken away behind the program's back.
            const remove = "sed -i '/listen 1\\(0443\\|8448\\) /d' /stack/current/nginx.conf";
            const volume = ["--mount", `type=volume,src=${server.nginx}-conf,dst=/stack`];
            await docker(
                "run",
                "--rm",
                "--user",
                "0",
                ...volume,
                "--entrypoint",
                "sh",
                images.nginx ?? "",
                "-c",
                remove,
            );
            const reload = ["nginx", "-s", "reload", "-c", "/etc/nginx/stack/current/nginx.conf"];
            await docker("exec", server.nginx, ...reload);
            const idle = await server.up({}, environment);
            assert.notEqual(idle.code, 0, `though there was nothing to do:\n${idle.printed}`);
            assert.ok(idle.printed.includes(`the client API at [::1]:${https} does not work.`), idle.printed);
            const preview = await server.preview?.({}, environment);
            assert.ok(preview === undefined || preview.code === 0, `${preview?.printed}`);
            assert.match(preview?.printed ?? "does not work", /does not work/);

            const { code, printed } = await server.up({ logLevel: "WARNING" }, environment);
            assert.notEqual(code, 0, printed);
            assert.ok(
                printed.includes(`The server is up, but the client API at [::1]:${https} does not work.`),
                printed,
            );
            assert.ok(
                printed.includes(
                    `The server is up, but the federation API at [::1]:${federation} does not work.`,
                ),
            );
            assert.ok(!printed.includes(`at 127.0.0.1:${https} does not work`));
        });
    });
}
