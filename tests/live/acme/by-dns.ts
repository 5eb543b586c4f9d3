import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { certbotWithDnsPlugin } from "../../support/dns-plugin.ts";
import { docker, images, logs, type Run } from "../../support/homeserver.ts";
import { ask } from "../../support/http.ts";
import { Pebble } from "../../support/pebble.ts";
import { freePorts } from "../../support/ports.ts";
import { AcmeHomeserver, HOST, namesOf, tls, trust } from "./homeserver.ts";

export function byDns(): void {
    const NAMES = ["DNS:*.matrix.test", "DNS:matrix.test"];
    let certbot: string;
    const settings = (
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
        server = new AcmeHomeserver({ publicHost: HOST, ...settings(["*.matrix.test"]) });
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

        const again = await server.mustUp({}, await trust(pebble));
        const containers = await docker("ps", "--all", "--quiet", "--filter", `name=${server.name}`);
        const places = {
            "docker inspect": await docker("inspect", ...containers.split("\n")),
            "what was printed": run.printed + again.printed,
            "certbot's log": await logs(server.certbot),
            ".state": readFileSync(new URL(`../../../.state/${server.stack}.json`, import.meta.url), "utf8"),
        };
        for (const [place, text] of Object.entries(places)) {
            for (const value of [secret, hmacKey]) assert.ok(!text.includes(value), place);
        }
    });

    test("a certificate that nginx does not take up fails the run, and the next one sees it served", async () => {
        const more = settings(["more.matrix.test"]);
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
        const failed = await server.up(settings(["other.matrix.test"], wrong, pebble, ""));
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
            run = await server.mustUp(settings(names, secret, other), await trust(other));
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
}
