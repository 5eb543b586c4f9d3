import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { engines } from "../support/deployment.ts";
import { docker, images, inspect, logs, type Run } from "../support/homeserver.ts";
import { ask, eventually, type Request, type Response } from "../support/http.ts";
import { assertIdle } from "../support/interrupted.ts";
import { OuterProxy } from "../support/outer-proxy.ts";
import { freePorts } from "../support/ports.ts";
import { containersOf, volumesOf } from "../support/standing.ts";

/** A server behind a proxy of the operator's, which speaks TLS and is on the Docker host. */

const VERSIONS = "/_matrix/client/versions";
const KEY = "/_matrix/key/v2/server";
const FORGED = "203.0.113.99";
/** From where the client of these tests comes, so that its address is no other's. */
const CLIENT = "127.0.0.7";
const { nginx = "" } = images;
const [outerPort = 0, httpPort = 0, synapsePort = 0] = await freePorts(3);

for (const engine of engines()) {
    describe(`behind a proxy of one's own, with ${engine.name}`, () => {
        const outer = new OuterProxy(outerPort, httpPort);
        const tls = { mode: "proxy", publicUrl: `https://localhost:${outerPort}` };
        const server = engine.deployment({ tls, ports: { http: httpPort, synapse: synapsePort } });
        let first: Run;
        let token: string;

        after(async () => {
            await outer.remove();
            await server.destroy();
        });

        const through = (path: string, more: Partial<Request> = {}): Promise<Response> =>
            ask({
                port: outerPort,
                path,
                ca: outer.ca,
                host: "localhost",
                options: { localAddress: CLIENT, timeout: 60_000 },
                ...more,
            });
        /** Asks nginx itself, by plain HTTP from the Docker host. */
        const direct = (path: string, headers = {}) => ask({ port: httpPort, path, headers });

        /** The line of Synapse's log about a request, which says whose it takes it for. */
        async function logged(mark: string): Promise<string> {
            const log = await eventually(
                20,
                () => logs(server.name),
                (text) => text.includes(mark),
            );
            return log.split("\n").find((line) => line.includes(mark)) ?? "";
        }

        test("comes up, and is seen to work, before there is that proxy", async () => {
            first = await server.mustUp();
            const { clientUrl, publishedPorts } = first.outputs;
            assert.equal(clientUrl, `https://localhost:${outerPort}`);
            assert.deepEqual(publishedPorts, { http: httpPort, synapse: synapsePort });
            assert.equal(
                (first.outputs as unknown as { federationAddress: string }).federationAddress,
                `localhost:${outerPort}`,
            );
            await outer.start();
            const answers = () => through(VERSIONS);
            await eventually(20, answers, ({ status }) => status === 200);
        });

        test("is published on the loopback address, on one port, and keeps no certificate", async () => {
            const bindings = JSON.parse(
                await inspect(server.nginx, "{{json .HostConfig.PortBindings}}"),
            ) as object;
            assert.deepEqual(bindings, {
                "80/tcp": [{ HostIp: "127.0.0.1", HostPort: String(httpPort) }],
            });
            const volumes = await volumesOf(server.name);
            assert.doesNotMatch(volumes, /certificates|-ca$/m);
        });

        test("tells clients and servers the proxy's URL, whatever Host they send", async () => {
            for (const host of ["localhost", "evil.example"]) {
                const headers = { host };
                const client = await through("/.well-known/matrix/client", { headers });
                assert.deepEqual(JSON.parse(client.body), {
                    "m.homeserver": { base_url: `https://localhost:${outerPort}` },
                });
                assert.equal(client.headers["access-control-allow-origin"], "*");
                const own = await through("/.well-known/matrix/server", { headers });
                assert.deepEqual(JSON.parse(own.body), { "m.server": `localhost:${outerPort}` });
            }
        });

        test("answers clients and servers, keeps the admin API closed, and leaves HSTS to the proxy", async () => {
            for (const path of [VERSIONS, KEY, "/_matrix/federation/v1/version"]) {
                const { status, headers } = await through(path);
                assert.equal(status, 200, path);
                assert.equal(headers["strict-transport-security"], undefined);
            }
            for (const path of [
                "/_synapse/admin/v1/server_version",
                "/_matrix/../_synapse/admin/v1/server_version",
            ]) {
                for (const answer of [await through(path), await direct(path)])
                    assert.ok([400, 404].includes(answer.status), `${path}: ${answer.status}`);
            }
            assert.equal((await through("/")).headers.location, "/_matrix/static/");
        });

        test("knows the client's own address, also when the client says that it has another", async () => {
            await server.registerUser("alice", "correct horse");
            const body = JSON.stringify({
                type: "m.login.password",
                identifier: { type: "m.id.user", user: "alice" },
                password: "correct horse",
            });
            const headers = { "X-Forwarded-For": FORGED };
            const login = await through("/_matrix/client/v3/login", { method: "POST", body, headers });
            token = (JSON.parse(login.body) as { access_token: string }).access_token;
            const Authorization = `Bearer ${token}`;
            const seen = async () => {
                const answer = await through("/_matrix/client/v3/devices", {
                    headers: { ...headers, Authorization },
                });
                const { devices } = JSON.parse(answer.body) as { devices: { last_seen_ip: string | null }[] };
                // One is that of the registration, which nobody has used.
                return devices.flatMap((device) => device.last_seen_ip ?? []).join();
            };
            assert.equal(await eventually(30, seen, (ip) => ip !== ""), CLIENT);
        });

        test("believes nobody but the proxy about an address", async () => {
            const mark = `stranger-${Date.now()}`;
            const address = await docker(
                ...["run", "--rm", "--network", server.name, "--entrypoint", "/bin/sh", nginx, "-euc"],
                `hostname -i; curl -fsS -o /dev/null -A ${mark} -H 'X-Forwarded-For: ${FORGED}' http://nginx${VERSIONS}`,
            );
            const line = await logged(mark);
            assert.ok(line.includes(address), `${address} in ${line}`);
            assert.ok(!line.includes(FORGED), line);
        });

        test("holds what is asked while Synapse restarts", async () => {
            const { port } = outer;
            const began = Date.now();
            const restarted = docker("restart", server.name).then(() => Date.now() - began);
            const statuses: number[] = [];
            let longest = 0;
            while (Date.now() - began < 12_000) {
                const asked = Date.now();
                const answer = await through("/_matrix/client/v3/account/whoami", {
                    port,
                    headers: { Authorization: `Bearer ${token}` },
                });
                statuses.push(answer.status);
                longest = Math.max(longest, Date.now() - asked);
                await sleep(100);
            }
            await restarted;
            assert.deepEqual([...new Set(statuses)], [200]);
            assert.ok(longest > 500, `no request waited: ${longest} ms`);
        });

        test("a second run changes nothing", () => assertIdle(server));

        test("changes to a certificate of its own and back, and stays the same server", async () => {
            const { verifyKey } = first.outputs;
            const own = await server.mustUp({ tls: { mode: "local-ca" }, ports: {} });
            const { https } = own.outputs.publishedPorts;
            const answer = await ask({ port: https, path: VERSIONS, ca: own.outputs.caCertificate });
            assert.equal(answer.status, 200);
            assert.equal(own.outputs.verifyKey, verifyKey);
            const back = await server.mustUp();
            assert.equal(back.outputs.verifyKey, verifyKey);
            assert.equal((await through(VERSIONS)).status, 200);
            const left = await containersOf(server.name);
            assert.doesNotMatch(left, /certificate/);
            const volumes = await volumesOf(server.name);
            assert.doesNotMatch(volumes, /certificates|-ca$/m);
            await assertIdle(server);
        });

        test("a listener that does not answer fails the run", async () => {
            await docker("network", "disconnect", server.name, server.nginx);
            const run = await server.up({ maxUploadSize: "10M" });
            await docker("network", "connect", "--alias", "nginx", server.name, server.nginx);
            assert.notEqual(run.code, 0);
            assert.match(run.printed, /the client API at 127\.0\.0\.1:\d+ does not work/);
        });
    });
}
