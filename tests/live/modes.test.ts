import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connect } from "node:tls";
import { CertbotDirectory } from "../support/certificates.ts";
import { engines } from "../support/deployment.ts";
import { docker, inspect, logs, type Run } from "../support/homeserver.ts";
import { ask, eventually } from "../support/http.ts";
import { assertNothingLeft } from "../support/standing.ts";

/** Serial number, in decimal, of the certificate that a port serves. */
function servedSerial(port: number): Promise<string> {
    return new Promise((resolve, reject) => {
        const socket = connect({
            port,
            host: "127.0.0.1",
            servername: "localhost",
            rejectUnauthorized: false,
        });
        socket.on("secureConnect", () => {
            resolve(BigInt(`0x${socket.getPeerCertificate().serialNumber}`).toString());
            socket.destroy();
        });
        socket.on("error", reject);
    });
}

for (const engine of engines()) {
    describe(`tls.mode: none, with ${engine.name}`, () => {
        const server = engine.deployment({ tls: { mode: "none" } });
        let run: Run;
        before(async () => {
            run = await server.mustUp();
        });
        after(() => server.destroy());

        test("Synapse answers plain HTTP on the loopback address, without nginx", async () => {
            const answer = await ask({
                port: run.outputs.publishedPorts.synapse,
                path: "/_matrix/client/versions",
            });
            assert.equal(answer.status, 200);
            assert.equal(run.outputs.clientUrl, `http://localhost:${run.outputs.publishedPorts.synapse}`);
            assert.equal(await docker("ps", "--all", "--quiet", "--filter", `name=^${server.nginx}$`), "");
        });

        test("taking the stack down with its volumes leaves nothing of it behind", async () => {
            const down = await server.down();
            assert.equal(down.code, 0, down.printed);
            await assertNothingLeft(server.name);
        });
    });

    describe(`tls.mode: synapse, with ${engine.name}`, () => {
        const certbot = new CertbotDirectory("localhost");
        const server = engine.deployment({ tls: { mode: "synapse", directory: certbot.path } });
        const environment = { NODE_EXTRA_CA_CERTS: certbot.caFile };
        after(async () => {
            await server.destroy();
            certbot.remove();
        });

        test("a certificate that is missing fails the run in plain words, before Synapse is started", async () => {
            const run = await server.up({}, environment);
            assert.notEqual(run.code, 0);
            assert.match(run.printed, /live\/localhost\/fullchain\.pem is missing or empty/);
            assert.equal(await docker("ps", "--all", "--quiet", "--filter", `name=^${server.name}$`), "");
        });

        test("Synapse itself speaks TLS on 8448, to clients and servers, and takes a renewed certificate up without a restart", async () => {
            const serial = certbot.renew();
            const { outputs } = await server.mustUp({}, environment);
            const port = outputs.publishedPorts.federation;
            for (const path of ["/_matrix/client/versions", "/_matrix/federation/v1/version"]) {
                assert.equal((await ask({ port, path, ca: certbot.ca })).status, 200);
            }
            assert.equal(await servedSerial(port), serial);
            const started = await inspect(server.name, "{{.Id}} {{.State.StartedAt}} {{.RestartCount}}");
            const renewed = certbot.renew();
            assert.equal(
                await eventually(
                    40,
                    () => servedSerial(port),
                    (served) => served === renewed,
                ),
                renewed,
            );
            assert.equal(
                await inspect(server.name, "{{.Id}} {{.State.StartedAt}} {{.RestartCount}}"),
                started,
            );
        });
    });

    describe(`tls.mode: files, with ${engine.name}`, () => {
        const certbot = new CertbotDirectory("localhost");
        const server = engine.deployment({ tls: { mode: "files", directory: certbot.path } });
        let run: Run;
        let serial: string;
        before(async () => {
            serial = certbot.renew();
            run = await server.mustUp({}, { NODE_EXTRA_CA_CERTS: certbot.caFile });
        });
        after(async () => {
            await server.destroy();
            certbot.remove();
        });
        const versions = (port: number) => ask({ port, path: "/_matrix/client/versions", ca: certbot.ca });

        test("nginx serves the host's certificate on both ports, and tells browsers to stay with HTTPS", async () => {
            const { https, federation } = run.outputs.publishedPorts;
            for (const port of [https, federation]) {
                const answer = await versions(port);
                assert.equal(answer.status, 200);
                assert.match(answer.headers["strict-transport-security"] ?? "", /max-age=63072000/);
                assert.equal(await servedSerial(port), serial);
            }
        });

        test("the key is readable by nginx's user alone, and nothing that faces the world holds a capability", async () => {
            const listed = await docker(
                "exec",
                server.nginx,
                "stat",
                "-L",
                "-c",
                "%u:%g %a",
                "/etc/nginx/certificates/current/privkey.pem",
            );
            assert.equal(listed, "101:101 400");
            const relay = `${server.name}-certificate-relay`;
            assert.equal(await inspect(relay, "{{.HostConfig.NetworkMode}}"), "none");
            assert.equal(
                await inspect(relay, "{{json .HostConfig.CapAdd}}"),
                '["CAP_CHOWN","CAP_DAC_READ_SEARCH"]',
            );
        });

        test("a renewal on the host is served without a stop of nginx", async () => {
            const started = await inspect(server.nginx, "{{.Id}} {{.State.StartedAt}}");
            const { https } = run.outputs.publishedPorts;
            const renewed = certbot.renew();
            const answers: string[] = [];
            await eventually(
                40,
                async () => {
                    answers.push(await versions(https).then(({ status }) => String(status), String));
                    return servedSerial(https);
                },
                (current) => current === renewed,
            );
            assert.ok(answers.length > 2, "asked before, during and after");
            assert.deepEqual([...new Set(answers)], ["200"]);
            assert.equal(await inspect(server.nginx, "{{.Id}} {{.State.StartedAt}}"), started);
        });

        test("a certificate and a key that do not belong together are never taken up", async () => {
            const { https } = run.outputs.publishedPorts;
            const good = await servedSerial(https);
            certbot.renew();
            certbot.mismatch();
            const relay = `${server.name}-certificate-relay`;
            // Long enough for the relay to have tried.
            await eventually(
                20,
                () => logs(relay),
                (log) => log.includes("do not belong together"),
            );
            const current = await servedSerial(https);
            assert.ok(current === good || current === String(Number(good) + 1));
            assert.equal((await versions(https)).status, 200);
            certbot.match();
            const newest = String(Number(good) + 1);
            assert.equal(
                await eventually(
                    40,
                    () => servedSerial(https),
                    (served) => served === newest,
                ),
                newest,
            );
        });
    });
}
