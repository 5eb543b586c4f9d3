import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { servedCertificate } from "../../support/certificates.ts";
import { docker, inspect } from "../../support/homeserver.ts";
import { ask, eventually, type Response } from "../../support/http.ts";
import { Pebble } from "../../support/pebble.ts";
import { freePorts } from "../../support/ports.ts";
import { AcmeHomeserver, HOST, namesOf, serialOf, tls, trust } from "./homeserver.ts";

export function toStay(): void {
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
        assert.equal(await inspect(server.certbot, "{{.Config.User}} {{.HostConfig.CapAdd}}"), "101:101 []");
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
        const kept = ["data", "letsencrypt", "postgres"].map((use) => `${server.name}-${use}`);
        assert.deepEqual(volumes.split("\n"), kept);
        const again = await server.mustUp({}, environment);
        // From nginx's first moment on: what certbot holds has not been put in its place later.
        assert.doesNotMatch(again.printed, /homeserver-certbot-issuance: Copied/);
        assert.equal(await serialOf(ports.https), serial);
        assert.equal(pebble.orders, 4);
    });
}
