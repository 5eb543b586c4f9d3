import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { after, test } from "node:test";
import { announcement, farewell } from "../../../../commands/lan/announcement.ts";
import { contents, POLICY } from "../../../../commands/lan/page.ts";
import { sharedServerName } from "../../../../commands/lan/share.ts";
import { openSite } from "../../../../commands/lan/site.ts";
import { ask } from "../../../support/http.ts";
import { freePorts } from "../../../support/ports.ts";

const TOLD = {
    clientUrl: "https://192.168.1.5:8443",
    serverName: "localhost",
    fingerprint: "AB:CD:EF",
};
const CA = "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n";
const page = contents(TOLD, CA)["/"]?.body ?? "";

const [port = 0] = await freePorts(1);
const site = await openSite("127.0.0.1", port);
after(() => site.close());
const get = (path: string, method = "GET") => ask({ port, path, method });

test("the page tells the address, the users' names, the fingerprint and where the certificate is", () => {
    for (const text of [TOLD.clientUrl, "@alice:localhost", TOLD.fingerprint, 'href="/ca.crt"']) {
        assert.ok(page.includes(text), text);
    }
    assert.match(page, /Certificate Trust Settings/);
    assert.match(page, /Install a certificate/);
    assert.match(page, /came unencrypted/);
});

test("whatever the page is told is text in it, and never markup", () => {
    const hostile = `<script>alert("1")</script>&'`;
    const { body = "" } =
        contents({ clientUrl: hostile, serverName: hostile, fingerprint: hostile }, CA)["/"] ?? {};
    assert.doesNotMatch(body, /<script|alert\("1"\)/);
    assert.ok(body.includes("&#60;script&#62;"));
});

test("the page runs nothing and loads nothing, and its policy allows its own style alone", () => {
    const [, style = ""] = /<style>(.*?)<\/style>/s.exec(page) ?? [];
    const hash = createHash("sha256").update(style).digest("base64");
    assert.ok(POLICY.startsWith(`default-src 'none'; style-src 'sha256-${hash}';`), POLICY);
    assert.doesNotMatch(page, /<script|<img|<link|<iframe| style=| on[a-z]+=| src=/);
    // The address of a name space, and the server's own.
    const urls = [...page.matchAll(/https?:\/\/[^\s"<]+/g)].map(([url]) => url);
    assert.deepEqual([...new Set(urls)].sort(), ["http://www.w3.org/2000/svg", TOLD.clientUrl]);
});

test("before the server is up the page's server has nothing to show, and then the page and the certificate", async () => {
    assert.equal((await get("/")).status, 503);
    site.show(contents(TOLD, CA));
    const [html, ca] = [await get("/"), await get("/ca.crt")];
    assert.deepEqual([html.status, html.body], [200, page]);
    assert.deepEqual([ca.status, ca.body], [200, CA]);
    assert.equal(ca.headers["content-type"], "application/x-x509-ca-cert");
    for (const { headers } of [html, ca, await get("/nothing")]) {
        assert.equal(headers["cache-control"], "no-store");
        assert.equal(headers["content-security-policy"], POLICY);
        assert.equal(headers["x-content-type-options"], "nosniff");
    }
});

test("it serves nothing else, and takes nothing", async () => {
    for (const path of [
        "/ca.pem",
        "/ca.crt/",
        "/../ca.crt",
        "/?x",
        "//",
        "/%2e%2e/package.json",
        "/__proto__",
    ]) {
        assert.equal((await get(path)).status, 404, path);
    }
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
        assert.equal((await get("/", method)).status, 405, method);
    }
    assert.deepEqual([(await get("/", "HEAD")).status, (await get("/", "HEAD")).body], [200, ""]);
});

test("a port in use is refused with the way to name another, and the end cuts connections off", async () => {
    await assert.rejects(openSite("127.0.0.1", port), /EADDRINUSE.*--page-port names another port/);
    const [other = 0] = await freePorts(1);
    const short = await openSite("127.0.0.1", other);
    const kept = connect(other, "127.0.0.1");
    await once(kept, "connect");
    await short.close();
    await assert.rejects(ask({ port: other, path: "/" }));
});

test("the terminal says where it is, that the CA is another one, and its fingerprint", () => {
    const args = {
        ...TOLD,
        stack: "local",
        address: "192.168.1.5",
        network: "eth0",
        pageUrl: "http://192.168.1.5:8081/",
    };
    const lines = announcement({ ...args, colours: false }).join("\n");
    for (const text of [
        TOLD.clientUrl,
        "http://192.168.1.5:8081/",
        "no federation",
        "another one",
        TOLD.fingerprint,
    ]) {
        assert.ok(lines.includes(text), text);
    }
    assert.match(lines, /\(npm run trust\)/);
    assert.match(lines, /run it again after the next `npm start` without --lan/);
    assert.match(lines, /▄|▀/);
    assert.ok(!lines.includes("\u001b"));
    const elsewhere = announcement({ ...args, stack: "other", serverName: "chat.test", colours: true }).join(
        "\n",
    );
    assert.match(elsewhere, /npm run user -- add alice --stack other/);
    assert.ok(elsewhere.includes("\u001b[97;40m"));
    assert.doesNotMatch(elsewhere, /federation/);
    assert.match(farewell("local"), /`npm start` takes it back/);
});

test("a stack without a private CA, and an engine on another machine, are refused", (t) => {
    const before = process.env.DOCKER_HOST;
    t.after(() => {
        if (before === undefined) delete process.env.DOCKER_HOST;
        else process.env.DOCKER_HOST = before;
    });
    delete process.env.DOCKER_HOST;
    const own = { serverName: "localhost", tls: '{"mode":"local-ca"}', dockerHost: "" };
    assert.equal(sharedServerName(own), "localhost");
    assert.throws(() => sharedServerName({ ...own, tls: '{"mode":"acme"}' }), /this stack has acme/);
    assert.throws(() => sharedServerName({ ...own, tls: undefined }), /this stack has none/);
    assert.throws(() => sharedServerName({ ...own, dockerHost: "ssh://me@far.test" }), /is on far\.test/);
    process.env.DOCKER_HOST = "tcp://other.test:2376";
    for (const dockerHost of ["", undefined])
        assert.throws(() => sharedServerName({ ...own, dockerHost }), /is on other\.test/);
    assert.equal(sharedServerName({ ...own, dockerHost: "unix:///run/docker.sock" }), "localhost");
});
