import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { servedCertificate } from "../../support/certificates.ts";
import { inspect, type Run } from "../../support/homeserver.ts";
import { ask, eventually } from "../../support/http.ts";
import { Pebble } from "../../support/pebble.ts";
import { freePorts } from "../../support/ports.ts";
import { AcmeHomeserver, HOST, namesOf, serialOf, tls, trust } from "./homeserver.ts";

export function shortLived(): void {
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

    test("it is of the short-lived kind, in which Let's Encrypt certifies addresses", async () => {
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
}
