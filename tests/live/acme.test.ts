import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { servedCertificate } from "../support/certificates.ts";
import { certbotWithDnsPlugin } from "../support/dns-plugin.ts";
import { docker, Homeserver, images, inspect, logs, type Run } from "../support/homeserver.ts";
import { ask, eventually, type Response } from "../support/http.ts";
import { Pebble } from "../support/pebble.ts";
import { freePorts } from "../support/ports.ts";

// Against a real ACME server, by real certbot. Side by side, since much of it is waiting for certificates to age.

const HOST = "matrix.test";

/** A stack that gets its certificate from a {@link Pebble}. */
class AcmeHomeserver extends Homeserver {
    readonly certbot = `${this.name}-certbot`;

    /** As renew.sh does it twice a day. */
    async obtain(): Promise<{ readonly code: number; readonly printed: string }> {
        return docker("exec", this.certbot, "sh", "-c", "sh /scripts/obtain.sh 2>&1").then(
            (printed) => ({ code: 0, printed }),
            (error: { code: number; stdout: string; stderr: string }) => ({
                code: error.code,
                printed: error.stdout + error.stderr,
            }),
        );
    }

    health(): Promise<string> {
        return inspect(this.certbot, "{{.State.Health.Status}}");
    }
}

const tls = (pebble: Pebble, more: Record<string, unknown> = {}) => ({
    tls: {
        mode: "acme",
        email: "admin@example.org",
        server: pebble.directory,
        caBundle: pebble.caBundle,
        ...more,
    },
});
const trust = async (pebble: Pebble) => ({ NODE_EXTRA_CA_CERTS: await pebble.rootFile() });
const namesOf = async (port: number) =>
    (await servedCertificate(port, HOST)).subjectaltname?.split(", ").sort();
const serialOf = async (port: number) => (await servedCertificate(port, HOST)).serialNumber;

describe("tls.mode: acme", { concurrency: true }, () => {
    describe("a server that is there to stay", { concurrency: 1 }, () => {
        let ports: Record<"http" | "https" | "federation" | "synapse", number>;
        let server: AcmeHomeserver;
        let pebble: Pebble;
        let environment: Record<string, string>;
        before(async () => {
            const [http = 0, https = 0, federation = 0, synapse = 0] = await freePorts(4);
            ports = { http, https, federation, synapse };
            pebble = await Pebble.start({ httpPort: http });
            environment = await trust(pebble);
            server = new AcmeHomeserver({ publicHost: HOST, ephemeral: false, ports, ...tls(pebble) });
        });
        after(async () => {
            await server.destroy();
            await pebble.stop();
        });
        const versions = async (): Promise<Response> =>
            ask({
                port: ports.https,
                host: HOST,
                path: "/_matrix/client/versions",
                ca: await pebble.root(),
            });
        const onPlaceholder = () =>
            ask({
                port: ports.https,
                host: HOST,
                path: "/_matrix/client/versions",
                ca: "",
                options: { rejectUnauthorized: false },
            });

        test("a directory that is not trusted fails the run in certbot's words, and the server answers on a placeholder", async () => {
            // A certificate, but of nobody that the directory knows.
            const run = await server.up(tls(pebble, { caBundle: await pebble.root() }), environment);
            assert.notEqual(run.code, 0);
            assert.match(run.printed, /certificate verify failed/);
            assert.match(run.printed, /certbot could not get a certificate for matrix\.test/);
            assert.equal(pebble.orders, 0);
            assert.equal((await onPlaceholder()).status, 200);
            assert.equal((await servedCertificate(ports.https, HOST)).subject.CN, "placeholder");
        });

        test("a challenge that fails does so too, with what the CA saw, and nothing is half-switched", async () => {
            const [closed = 0] = await freePorts(1);
            const astray = await Pebble.start({ httpPort: closed });
            try {
                const run = await server.up(tls(astray), environment);
                assert.notEqual(run.code, 0);
                assert.match(run.printed, /Certbot failed to authenticate some domains/);
                assert.match(run.printed, /Identifier: matrix\.test[\s\S]*Detail: .*connection refused/);
            } finally {
                await astray.stop();
            }
            assert.equal((await onPlaceholder()).status, 200);
            assert.equal((await servedCertificate(ports.https, HOST)).subject.CN, "placeholder");
        });

        test("the next run gets the certificate, through the nginx that runs", async () => {
            const nginx = await inspect(server.nginx, "{{.Id}} {{.State.StartedAt}}");
            await server.mustUp({}, environment);
            const answer = await versions();
            assert.equal(answer.status, 200);
            assert.match(answer.headers["strict-transport-security"] ?? "", /max-age=63072000/);
            assert.deepEqual(await namesOf(ports.federation), [`DNS:${HOST}`]);
            assert.equal(await inspect(server.nginx, "{{.Id}} {{.State.StartedAt}}"), nginx);
            assert.equal(pebble.orders, 1);
            // Docker looks only every few seconds.
            await eventually(
                20,
                () => server.health(),
                (status) => status === "healthy",
            );
        });

        test("a second run touches nothing", async () => {
            const { changes } = await server.mustUp({}, environment);
            const { same, ...others } = changes;
            assert.ok(Number(same) > 20);
            assert.deepEqual(new Set(Object.values(others)), new Set([0]));
            assert.equal(pebble.orders, 1);
        });

        test("nothing of certbot's is root or holds a capability, and its keys are its own", async () => {
            assert.equal(
                await inspect(server.certbot, "{{.Config.User}} {{.HostConfig.CapAdd}}"),
                "101:101 []",
            );
            const modes = await docker(
                "exec",
                server.certbot,
                "sh",
                "-c",
                "stat -L -c '%u:%g %a' /certificates/current/privkey.pem /etc/letsencrypt/live/*/privkey.pem",
            );
            assert.equal(modes, "101:101 400\n101:101 600");
        });

        test("restarting every container asks for nothing", async () => {
            const serial = await serialOf(ports.https);
            await docker("restart", server.nginx, server.certbot, server.name);
            await eventually(30, versions, ({ status }) => status === 200);
            const { code, printed } = await server.obtain();
            assert.equal(code, 0);
            assert.match(printed, /not yet due for renewal/);
            assert.equal(await serialOf(ports.https), serial);
            assert.equal(pebble.orders, 1);
        });

        test("an added name and another kind of key are issued anew, and served without a stop", async () => {
            const nginx = await inspect(server.nginx, "{{.Id}} {{.State.StartedAt}}");
            const named = tls(pebble, { names: ["chat.matrix.test"], keyType: "rsa" });
            const { printed } = await server.mustUp(named, environment);
            assert.match(printed, /updated +command homeserver-certbot-issuance/);
            const both = ["DNS:chat.matrix.test", "DNS:matrix.test"];
            assert.deepEqual(await namesOf(ports.https), both);
            assert.equal((await servedCertificate(ports.https, HOST)).bits, 2048);
            assert.equal(pebble.orders, 2);
            // The kind of key alone, as an `up` would change it.
            const ecdsa =
                'CERTBOT_ARGUMENTS=$(echo "$CERTBOT_ARGUMENTS" | sed s/=rsa/=ecdsa/) sh /scripts/obtain.sh';
            await docker("exec", server.certbot, "sh", "-c", ecdsa);
            const bits = async () => (await servedCertificate(ports.https, HOST)).bits;
            await eventually(10, bits, (count) => count === 256);
            assert.deepEqual(await namesOf(ports.https), both);
            assert.equal(pebble.orders, 3);
            await server.mustUp({}, environment);
            assert.deepEqual(await namesOf(ports.https), [`DNS:${HOST}`]);
            assert.equal(pebble.orders, 4);
            assert.equal(await inspect(server.nginx, "{{.Id}} {{.State.StartedAt}}"), nginx);
        });

        test("a stack made again around the kept volume serves the same certificate and asks for none", async () => {
            const serial = await serialOf(ports.https);
            const { printed } = await server.down();
            assert.match(printed, new RegExp(`${server.name}-letsencrypt`));
            const volumes = await docker("volume", "ls", "--quiet", "--filter", `name=${server.name}-`);
            assert.deepEqual(volumes.split("\n"), [`${server.name}-data`, `${server.name}-letsencrypt`]);
            const again = await server.mustUp({}, environment);
            // From nginx's first moment on: what certbot holds has not been put in its place later.
            assert.doesNotMatch(again.printed, /homeserver-certbot-issuance: Copied/);
            assert.equal(await serialOf(ports.https), serial);
            assert.equal(pebble.orders, 4);
        });
    });

    describe("an address, with certificates that live for 80 seconds", { concurrency: 1 }, () => {
        const ADDRESS = "127.0.0.1";
        const path = "/_matrix/client/versions";
        // An address is no name for SNI.
        const options = { servername: "" };
        let server: AcmeHomeserver;
        let pebble: Pebble;
        let run: Run;
        before(async () => {
            const [http = 0] = await freePorts(1);
            pebble = await Pebble.start({ httpPort: http, shortValidity: 80 });
            const { tls: settings } = tls(pebble, { email: undefined });
            server = new AcmeHomeserver({ publicHost: ADDRESS, ports: { http }, tls: settings });
            run = await server.mustUp({}, await trust(pebble));
        });
        after(async () => {
            await server.destroy();
            await pebble.stop();
        });
        const https = () => run.outputs.publishedPorts.https;

        test("one order makes the first certificate from nothing, for an account without an e-mail address", async () => {
            assert.equal(pebble.orders, 1);
            const answer = await ask({
                port: https(),
                host: ADDRESS,
                path,
                ca: await pebble.root(),
                options,
            });
            assert.equal(answer.status, 200);
            assert.deepEqual(await namesOf(https()), [`IP Address:${ADDRESS}`]);
        });

        test("it is of the short-lived kind, in which Let's Encrypt certifies addresses", async (context) => {
            if (!(await pebble.hasProfiles())) {
                context.skip("this pebble has no profiles; scripts/setup.sh builds a newer one where Go is");
                return;
            }
            const { valid_from: start, valid_to: end } = await servedCertificate(https(), HOST);
            assert.ok(Date.parse(end) - Date.parse(start) < 90_000, `${start} to ${end}`);
        });

        test("a renewal is served within seconds, and no request fails over it", async () => {
            const first = await serialOf(https());
            const ca = await pebble.root();
            let done = false;
            let answered = 0;
            const failures: string[] = [];
            const load = Array.from({ length: 4 }, async () => {
                while (!done) {
                    await ask({ port: https(), host: ADDRESS, path, ca, options }).then(
                        ({ status }) => {
                            if (status === 200) answered += 1;
                            else failures.push(String(status));
                        },
                        (error: unknown) => failures.push(String(error)),
                    );
                    await sleep(50);
                }
            });
            // Refused until half of its time is over.
            const renewed = await eventually(
                80,
                () => server.obtain(),
                ({ printed }) => printed.includes("Successfully received certificate"),
            );
            assert.equal(renewed.code, 0, renewed.printed);
            const served = await eventually(
                10,
                () => serialOf(https()),
                (serial) => serial !== first,
            );
            await sleep(2000);
            done = true;
            await Promise.all(load);
            assert.notEqual(served, first);
            assert.deepEqual(failures, []);
            assert.ok(answered > 100, String(answered));
            assert.equal(pebble.orders, 2);
        });

        test("an ACME server that is down when it is time leaves the certificate in use, and certbot gets unhealthy until it is back", async () => {
            const serial = await serialOf(https());
            await pebble.close();
            const unhealthy = await eventually(
                120,
                () => server.health(),
                (health) => health === "unhealthy",
            );
            assert.equal(unhealthy, "unhealthy");
            const { code, printed } = await server.obtain();
            assert.equal(code, 1);
            assert.match(printed, /Connection refused[\s\S]*The certificate in use stays/);
            assert.match(
                await inspect(server.certbot, "{{range .State.Health.Log}}{{.Output}}{{end}}"),
                /notAfter=.* was not renewed/,
            );
            const anyway = { rejectUnauthorized: false, servername: "" };
            const answer = await ask({ port: https(), host: ADDRESS, path, ca: "", options: anyway });
            assert.equal(answer.status, 200);
            assert.equal(await serialOf(https()), serial);
            await pebble.open();
            assert.equal((await server.obtain()).code, 0);
            const recovered = await eventually(
                30,
                () => server.health(),
                (health) => health === "healthy",
            );
            assert.equal(recovered, "healthy");
            const served = await eventually(
                10,
                () => serialOf(https()),
                (other) => other !== serial,
            );
            assert.notEqual(served, serial);
        });
    });

    describe("by the DNS, with secrets", { concurrency: 1 }, () => {
        const NAMES = ["DNS:*.matrix.test", "DNS:matrix.test"];
        let certbot: string;
        const byDns = (
            names: readonly string[],
            token = secret,
            ca = pebble,
            url = `dns_challtestsrv_url = ${ca.dns}`,
        ) => ({
            images: { ...images, certbot },
            ...tls(ca, {
                names,
                challenge: {
                    type: "dns-01",
                    plugin: "challtestsrv",
                    credentials: `${url}\ndns_challtestsrv_token = ${token}\n`,
                    propagationSeconds: 0,
                },
                externalAccount: { keyId: "key-1", hmacKey },
            }),
        });
        const secret = randomBytes(24).toString("base64url");
        const hmacKey = randomBytes(32).toString("base64url");
        let server: AcmeHomeserver;
        let pebble: Pebble;
        let run: Run;
        before(async () => {
            const [closed = 0] = await freePorts(1);
            pebble = await Pebble.start({ httpPort: closed, externalAccounts: { "key-1": hmacKey } });
            certbot = await certbotWithDnsPlugin();
            server = new AcmeHomeserver({ publicHost: HOST, ...byDns(["*.matrix.test"]) });
            run = await server.mustUp({}, await trust(pebble));
        });
        after(async () => {
            await server.destroy();
            await pebble.stop();
        });

        test("a name and a wildcard are certified with port 80 closed to the CA, for an account that it knows", async () => {
            assert.deepEqual(await namesOf(run.outputs.publishedPorts.https), NAMES);
            assert.equal(pebble.orders, 1);
            const answer = await ask({
                port: run.outputs.publishedPorts.http,
                path: "/.well-known/acme-challenge/a",
            });
            assert.equal(answer.status, 301);
        });

        test("the secrets are files that certbot's user alone reads, and stand nowhere else", async () => {
            const files = await docker(
                "exec",
                server.certbot,
                "sh",
                "-c",
                "cd /secrets && stat -c '%n %u:%g %a' * && cat *",
            );
            assert.match(files, /^account\.ini 101:101 600\ncredentials\.ini 101:101 600\n/);
            for (const value of [secret, hmacKey]) assert.ok(files.includes(value));

            const again = await server.mustUp();
            const containers = await docker("ps", "--all", "--quiet", "--filter", `name=${server.name}`);
            const places = {
                "docker inspect": await docker("inspect", ...containers.split("\n")),
                "what was printed": run.printed + again.printed,
                "certbot's log": await logs(server.certbot),
                ".state": readFileSync(new URL(`../../.state/${server.stack}.json`, import.meta.url), "utf8"),
            };
            for (const [place, text] of Object.entries(places)) {
                for (const value of [secret, hmacKey]) assert.ok(!text.includes(value), place);
            }
        });

        test("a certificate that nginx does not take up fails the run, and the next one sees it served", async () => {
            const more = byDns(["more.matrix.test"]);
            const watcher = (signal: string) =>
                docker(
                    "exec",
                    server.nginx,
                    "sh",
                    "-c",
                    `for process in /proc/[0-9]*; do
                        [ "$(tr '\\0' ' ' <$process/cmdline)" != "/bin/sh /scripts/start.sh " ] || kill -s ${signal} \${process#/proc/}
                    done 2>/dev/null`,
                );
            await watcher("STOP");
            const failed = await server.up(more).finally(() => watcher("CONT"));
            assert.notEqual(failed.code, 0);
            assert.match(failed.printed, /nginx at nginx:443 does not serve it/);
            const orders = pebble.orders;
            await server.mustUp(more, await trust(pebble));
            const names = await namesOf(run.outputs.publishedPorts.https);
            assert.deepEqual(names, ["DNS:matrix.test", "DNS:more.matrix.test"]);
            assert.equal(pebble.orders, orders);
        });

        test("a credential that the plugin cannot use fails in its words, without the credential", async () => {
            const wrong = randomBytes(12).toString("hex");
            const failed = await server.up(byDns(["other.matrix.test"], wrong, pebble, ""));
            assert.notEqual(failed.code, 0);
            assert.match(failed.printed, /Missing property in credentials/);
            assert.ok(!failed.printed.includes(wrong));
            const names = await namesOf(run.outputs.publishedPorts.https);
            assert.deepEqual(names, ["DNS:matrix.test", "DNS:more.matrix.test"]);
        });

        test("another ACME server issues anew, although the certificate is good", async () => {
            const [closed = 0] = await freePorts(1);
            const other = await Pebble.start({ httpPort: closed, externalAccounts: { "key-1": hmacKey } });
            try {
                const names = ["more.matrix.test"];
                run = await server.mustUp(byDns(names, secret, other), await trust(other));
                assert.equal(other.orders, 1);
                const answer = await ask({
                    port: run.outputs.publishedPorts.https,
                    host: HOST,
                    path: "/_matrix/client/versions",
                    ca: await other.root(),
                });
                assert.equal(answer.status, 200);
            } finally {
                await other.stop();
            }
        });
    });
});
