import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CertbotDirectory } from "../support/certificates.ts";
import { docker } from "../support/homeserver.ts";
import { ask } from "../support/http.ts";
import { PulumiStack } from "../support/pulumi.ts";

/** One throw-away stack under the real Pulumi CLI, changed from one TLS mode to the next in place. */

const certbot = new CertbotDirectory("localhost");
const stack = new PulumiStack();
const common = { ephemeral: true, listenAddresses: { public: ["127.0.0.1"] } };
let verifyKey: unknown;

before(() => {
    certbot.renew();
    process.env.NODE_EXTRA_CA_CERTS = certbot.caFile;
});
after(async () => {
    await stack.run("cancel", "--yes");
    await stack.run("destroy", "--yes");
    stack.remove();
    certbot.remove();
});

for (const [tls, port] of [
    [{ mode: "letsencrypt", directory: certbot.path }, "https"],
    [{ mode: "synapse", directory: certbot.path }, "federation"],
    [{ mode: "letsencrypt", directory: certbot.path }, "https"],
    [{ mode: "local-ca" }, "https"],
    [{ mode: "none" }, "synapse"],
    [{ mode: "letsencrypt", directory: certbot.path }, "https"],
] as const) {
    test(`on to ${tls.mode}: the server answers, is the same, and a refreshed preview expects no changes`, async () => {
        await stack.configure({ ...common, tls });
        await stack.up();
        const ports = (await stack.output("publishedPorts")) as Record<string, number>;
        const own = tls.mode === "local-ca" ? String(await stack.output("caCertificate")) : certbot.ca;
        const ca = tls.mode === "none" ? undefined : own;
        const answer = await ask({ port: ports[port] ?? 0, path: "/_matrix/client/versions", ca });
        assert.equal(answer.status, 200);
        verifyKey ??= await stack.output("verifyKey");
        assert.deepEqual(await stack.output("verifyKey"), verifyKey);
        const preview = await stack.run("preview", "--refresh", "--expect-no-changes", "--diff");
        assert.equal(preview.code, 0, preview.printed);
    });

    if (tls.mode !== "local-ca") continue;
    test("the preview of another host says that clients must trust another CA", async () => {
        const warning = /every client must be told to trust it/;
        await stack.configure({ ...common, tls, publicHost: "matrix.test" });
        assert.match((await stack.must("preview")).printed, warning);
        await stack.configure({ ...common, tls, publicHost: "localhost", maxUploadSize: "10M" });
        assert.doesNotMatch((await stack.must("preview")).printed, warning);
    });
}

test("what the other modes had is gone, and destroying leaves nothing behind", async () => {
    const volumes = await docker("volume", "ls", "--quiet", "--filter", `name=${stack.name}-ca`);
    assert.equal(volumes, "");
    await stack.must("destroy", "--yes");
    for (const list of [
        ["ps", "--all"],
        ["volume", "ls"],
        ["network", "ls"],
    ]) {
        assert.equal(await docker(...list, "--quiet", "--filter", `name=${stack.name}`), "", list.join(" "));
    }
});
