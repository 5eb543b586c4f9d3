import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { docker, inspect } from "../support/homeserver.ts";
import { ask } from "../support/http.ts";
import { freePorts } from "../support/ports.ts";
import { PulumiStack } from "../support/pulumi.ts";

/** A stack with data, under the real Pulumi CLI and its providers, from its first `up` to its end. */

const stack = new PulumiStack();
let settings: Record<string, unknown>;
let verifyKey: unknown;

before(async () => {
    const [http, https, federation, synapse] = await freePorts(4);
    settings = {
        tls: { mode: "local-ca", http3: true },
        // Left out, it would be SQLite once the stack becomes a throw-away.
        database: { kind: "postgres" },
        ports: { http, https, federation, synapse },
        listenAddresses: { public: ["127.0.0.1", "::1"] },
    };
    await stack.configure(settings);
});

after(async () => {
    await stack.configure({ ...settings, ephemeral: true });
    await stack.run("cancel", "--yes");
    await stack.run("up", "--yes", "--skip-preview");
    await stack.run("destroy", "--yes");
    for (const volume of ["data", "ca", "dumps", "postgres"])
        await docker("volume", "rm", "--force", `${stack.name}-${volume}`);
    stack.remove();
});

/** Strings on the Docker host that nobody else may ever read. */
async function secrets(): Promise<string[]> {
    const key = await docker("exec", stack.name, "cat", "/data/localhost.signing.key");
    const yaml = await docker("exec", stack.name, "cat", "/data/homeserver.yaml");
    const inline = [
        ...yaml.matchAll(/^(?:registration_shared_secret|macaroon_secret_key|form_secret): "?([^"\n]+)/gm),
    ];
    assert.equal(inline.length, 3);
    return [key.split(" ")[2] ?? "", ...inline.map((match) => match[1] ?? "")];
}

function containers(): Promise<string> {
    return docker(
        "ps",
        "--all",
        "--no-trunc",
        "--format",
        "{{.ID}} {{.Names}}",
        "--filter",
        `name=${stack.name}`,
    );
}

test("up brings a verified server up from nothing, on IPv4 and IPv6", async () => {
    const up = await stack.up();
    assert.match(up.printed, /verification-questions created/);
    verifyKey = await stack.output("verifyKey");
    assert.match(String(verifyKey), /^ed25519:a_\w+ [A-Za-z0-9+/]{43}$/);
    const { https } = (await stack.output("publishedPorts")) as { https: number };
    const ca = String(await stack.output("caCertificate"));
    for (const address of ["127.0.0.1", "::1"]) {
        assert.equal(
            (await ask({ port: https, address, path: "/_matrix/client/versions", ca })).status,
            200,
            address,
        );
    }
});

test("a second preview, with a refresh, expects no changes", async () => {
    const preview = await stack.run("preview", "--refresh", "--expect-no-changes", "--diff");
    assert.equal(preview.code, 0, preview.printed);
});

test("a changed setting shows in the preview as a change of homeserver.yaml, and really reaches the server", async () => {
    await stack.configure({ ...settings, extraConfig: { presence: { enabled: false } } });
    const preview = await stack.must("preview", "--diff");
    assert.match(preview.printed, /\+ presence\s*: \{\s+\+ enabled: false/);
    const nginx = await inspect(`${stack.name}-nginx`, "{{.Id}}");
    await stack.up();
    assert.match(
        await docker("exec", stack.name, "cat", "/config/homeserver.yaml"),
        /presence:\n {2}enabled: false/,
    );
    assert.equal(await inspect(`${stack.name}-nginx`, "{{.Id}}"), nginx);
    assert.deepEqual(await stack.output("verifyKey"), verifyKey);
    const again = await stack.run("preview", "--refresh", "--expect-no-changes", "--diff");
    assert.equal(again.code, 0, again.printed);
});

test("an update that Synapse refuses changes nothing, and going back to the old settings works", async () => {
    const id = await inspect(stack.name, "{{.Id}}");
    await stack.configure({ ...settings, extraConfig: { url_preview_enabled: true } });
    const refused = await stack.run("up", "--yes", "--skip-preview");
    assert.notEqual(refused.code, 0);
    assert.match(refused.printed, /Synapse refuses this configuration; the running server was not touched/);
    assert.equal(await inspect(stack.name, "{{.Id}}"), id);
    await stack.configure(settings);
    await stack.up();
    await stack.up();
    const volumes = await docker("volume", "ls", "--quiet", "--filter", `name=${stack.name}-config-`);
    assert.equal(volumes.split("\n").length, 1, "the refused configuration is gone");
});

test("a server that was killed by hand is brought back by up --refresh", async () => {
    await docker("rm", "--force", stack.name);
    await stack.must("up", "--yes", "--skip-preview", "--refresh");
    assert.deepEqual(await stack.output("verifyKey"), verifyKey);
    const health = ["curl", "-fsS", "http://127.0.0.1:8008/health"];
    assert.equal(await docker("exec", stack.name, ...health), "OK");
});

test("another server name is refused in preview, with the reason", async () => {
    await stack.configure({ ...settings, serverName: "other.test" });
    const renamed = await stack.run("preview");
    assert.notEqual(renamed.code, 0);
    assert.match(renamed.printed, /synapse:serverName is localhost for ever/);
    const before = await containers();
    assert.notEqual((await stack.run("up", "--yes", "--skip-preview")).code, 0);
    assert.equal(await containers(), before);
    await stack.configure(settings);
    await stack.up();
});

test("a bad setting fails the preview with its key, and nothing else is said or done", async () => {
    await stack.configure({ ...settings, maxUploadSize: "lots" });
    const preview = await stack.run("preview");
    assert.notEqual(preview.code, 0);
    assert.match(preview.printed, /synapse:maxUploadSize\s+got: {4}"lots"/);
    assert.doesNotMatch(preview.printed, /node_modules|at async/);
    await stack.configure(settings);
});

test("destroy refuses while there is data", async () => {
    const before = await containers();
    const destroy = await stack.run("destroy", "--yes");
    assert.notEqual(destroy.code, 0);
    assert.match(destroy.printed, /protected/);
    assert.equal(await containers(), before);
});

test("what holds data survives everything else being destroyed, and the next up is the same server", async () => {
    const known = await secrets();
    await stack.must("destroy", "--yes", "--exclude-protected");
    assert.equal(await containers(), "");
    const volumes = await docker("volume", "ls", "--quiet", "--filter", `name=${stack.name}`);
    assert.deepEqual(
        volumes.split("\n").sort(),
        ["ca", "data", "dumps", "postgres"].map((use) => `${stack.name}-${use}`),
    );
    await stack.up();
    assert.deepEqual(await stack.output("verifyKey"), verifyKey);
    assert.deepEqual(await secrets(), known);
});

test("no secret stands in the state, or in anything that the CLI printed", async () => {
    const { printed: state } = await stack.must("stack", "export", "--show-secrets");
    assert.match(state, /homeserver\.yaml|synapse-data-generation/);
    for (const secret of await secrets()) {
        assert.ok(secret.length >= 43);
        assert.ok(!state.includes(secret), "the state");
        assert.ok(!stack.printed.includes(secret), "what was printed");
    }
});
