import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { engines } from "../support/deployment.ts";
import { docker, logs, type Run } from "../support/homeserver.ts";
import { ask, eventually, type Request, type Response } from "../support/http.ts";

import { freePorts } from "../support/ports.ts";

/** What nginx does with requests while Synapse is away. */

const [synapse = 0] = await freePorts(1);

/**
 * For so long after the last answer Linux sends to a neighbour without asking whether it is still there, and no program
 * is told that it is not: 15 to 45 seconds, by chance (`base_reachable_time`).
 */
const KERNEL_FORGETS_MS = 46_000;

for (const engine of engines()) {
    describe(`what is asked while Synapse is away, with ${engine.name}`, () => {
        // Docker would pick another port at each start, of which Pulumi learns only with a refresh.
        const ports = { synapse };
        const server = engine.deployment({ tls: { mode: "local-ca" }, holdSeconds: 30, ports });
        let first: Run;
        let token: string;

        before(async () => {
            first = await server.mustUp();
            await server.registerUser("alice", "correct horse");
            const body = JSON.stringify({
                type: "m.login.password",
                identifier: { type: "m.id.user", user: "alice" },
                password: "correct horse",
            });
            const login = await askNginx("/_matrix/client/v3/login", { method: "POST", body });
            token = (JSON.parse(login.body) as { access_token: string }).access_token;
        });
        after(() => server.destroy());

        function askNginx(path: string, more: Partial<Request> = {}): Promise<Response> {
            const { https } = first.outputs.publishedPorts;
            return ask({
                port: https,
                path,
                ca: first.outputs.caCertificate,
                options: { timeout: 60_000 },
                ...more,
            });
        }

        test("what is asked while Synapse is away is answered when it is back: a POST, an upload, a path with %2F, on both ports", async () => {
            await docker("stop", server.name);
            const mark = `held-${Date.now()}`;
            const headers = { Authorization: `Bearer ${token}`, "User-Agent": mark };
            const path = "/_matrix/client/v3/profile/%40a%2Fb%3Alocalhost/displayname";
            const asked = [
                askNginx("/_matrix/client/v3/createRoom", { method: "POST", headers, body: "{}" }),
                askNginx("/_matrix/media/v3/upload", {
                    method: "POST",
                    headers,
                    body: Buffer.alloc(3 * 1024 * 1024, 7),
                }),
                askNginx("/_matrix/media/v3/upload", {
                    method: "POST",
                    headers: { ...headers, "Transfer-Encoding": "chunked" },
                    body: Buffer.alloc(3 * 1024 * 1024, 7),
                }),
                askNginx("/_matrix/key/v2/server", { port: first.outputs.publishedPorts.federation }),
            ];
            const slash = askNginx(path, { headers });
            await new Promise((resolve) => setTimeout(resolve, 2000));
            await docker("start", server.name);
            assert.deepEqual(
                (await Promise.all(asked)).map(({ status }) => status),
                [200, 200, 200, 200],
            );
            await slash;
            assert.ok(
                (await logs(server.name))
                    .split("\n")
                    .some((line) => line.includes(mark) && line.includes(path)),
            );
        });

        test("a POST that Synapse broke off is not sent twice, and says so", async () => {
            // A paused process still has its connections accepted for it.
            await docker("pause", server.name);
            const answer = askNginx("/_matrix/client/v3/createRoom", {
                method: "POST",
                headers: { Authorization: `Bearer ${token}` },
                body: "{}",
            });
            await new Promise((resolve) => setTimeout(resolve, 1000));
            await docker("kill", server.name);
            const { status, body, headers } = await answer;
            assert.equal(status, 502);
            assert.match(body, /"M_UNKNOWN".*not known/);
            assert.equal(headers["access-control-allow-origin"], "*");
            await docker("start", server.name);
            await eventually(
                30,
                () => askNginx("/_matrix/client/versions"),
                (versions) => versions.status === 200,
            );
        });

        test("a request is held no longer than the setting says", async () => {
            first = await server.mustUp({ holdSeconds: 2 });
            await docker("stop", server.name);
            const started = Date.now();
            const { status, headers, body } = await askNginx("/_matrix/client/versions");
            const waited = Date.now() - started;
            await docker("start", server.name);
            assert.equal(status, 503);
            assert.equal(headers["retry-after"], "5");
            assert.match(body, /M_UNKNOWN/);
            assert.ok(waited >= 2000 && waited < 25_000, `${waited} ms`);
        });

        test("with holdSeconds 0 nginx answers 502 at once", async () => {
            first = await server.mustUp({ holdSeconds: 0 });
            await docker("stop", server.name);
            await sleep(KERNEL_FORGETS_MS);
            const { status } = await askNginx("/_matrix/client/versions");
            await docker("start", server.name);
            assert.ok(status === 502 || status === 504, String(status));
        });
    });
}
