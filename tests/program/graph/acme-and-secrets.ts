import assert from "node:assert/strict";
import { test } from "node:test";
import { environmentOf, everythingBefore, registered, SECRET, SIGNATURE } from "./looks.ts";
import { elsewhere, HIDDEN, hiding, runs, SECRETS, secretive } from "./runs.ts";

test("nginx reads certbot's answers, and cannot write them", () => {
    const mounts = registered(runs.acme, "nginx-container").inputs.mounts as { source: string }[];
    const webroot = mounts.find(({ source }) => source === "synapse-test-acme-webroot");
    assert.deepEqual(webroot, {
        type: "volume",
        source: "synapse-test-acme-webroot",
        target: "/etc/nginx/webroot",
        readOnly: true,
    });
    assert.match(String(registered(runs.acme, "nginx-configuration").inputs.stdin), /acme-challenge/);
    assert.doesNotMatch(String(registered(secretive, "nginx-configuration").inputs.stdin), /acme-challenge/);
});

test("certbot needs root once, with CHOWN alone", () => {
    const options = environmentOf(runs.acme, "certificates-ownership").TASK_OPTIONS ?? "";
    assert.match(options, /^--network\nnone\n--user\n0:0\n--cap-add\nCHOWN\n--env\n/);
    assert.equal(options.match(/--cap-add/g)?.length, 1);
    for (const name of ["certificates-placeholder", "certbot-issuance"]) {
        assert.doesNotMatch(environmentOf(runs.acme, name).TASK_OPTIONS ?? "", /--cap-add|0:0/, name);
    }
});

test("what certbot is asked for shows in previews, and is the same at first and at each renewal", () => {
    for (const run of [runs.acme, secretive]) {
        const asked = environmentOf(run, "certbot-issuance");
        const envs = registered(run, "certbot-container").inputs.envs as string[];
        for (const key of ["CERTIFICATE_NAME", "ACME_SERVER", "CERTBOT_ARGUMENTS"]) {
            assert.ok(envs.includes(`${key}=${asked[key]}`), key);
        }
    }
    assert.match(
        environmentOf(secretive, "certbot-issuance").CERTBOT_ARGUMENTS ?? "",
        /^--domain=\*\.example\.org$/m,
    );
});

test("credentials are handed over as secrets, by standard input alone, before they are needed", () => {
    const stores = new Map<string, string>([
        ["certbot-credentials.ini", SECRETS[0]],
        ["certbot-account.ini", `eab-kid = key-1\neab-hmac-key = ${SECRETS[1]}\n`],
    ]);
    for (const [name, value] of stores) {
        const { stdin } = registered(secretive, name).inputs;
        assert.deepEqual(stdin, { [SIGNATURE]: SECRET, value });
        assert.ok(everythingBefore(secretive, "certbot-issuance").has(name));
    }
    for (const { name, inputs } of secretive.registrations) {
        const { stdin, ...others } = inputs;
        const open = JSON.stringify(stores.has(name) ? others : { ...others, stdin });
        assert.doesNotMatch(open, /Hunter2|SHVudGVyMw/, name);
    }
});

test("secretConfig is handed over as a secret, by standard input alone, and stands nowhere else", () => {
    const { stdin, ...others } = registered(hiding, "synapse-secrets-store").inputs;
    assert.deepEqual(stdin, {
        [SIGNATURE]: SECRET,
        value: `homeserver.yaml ${base64(`email:\n  smtp_host: mail.example.org\n  smtp_pass: ${HIDDEN}\n`)}\n`,
    });
    assert.doesNotMatch(JSON.stringify(others), new RegExp(`${HIDDEN}|${base64(HIDDEN)}`));
    for (const { name, inputs } of hiding.registrations) {
        if (name !== "synapse-secrets-store")
            assert.doesNotMatch(JSON.stringify(inputs), new RegExp(HIDDEN), name);
    }
    assert.match(String(registered(hiding, "synapse-check").inputs.stdin), /smtp_host: mail\.example\.org/);
});

test("the check and the server read the same secrets, which are named by chance, and old ones go last", () => {
    const path = "/secrets/undefined ed25519:a_Test verify-key/homeserver.yaml";
    const envs = registered(hiding, "synapse-container").inputs.envs as string[];
    // Not marked as secret: so a preview shows that it changes.
    assert.ok(envs.includes(`SECRET_CONFIG=${path}`), envs.join());
    assert.equal(environmentOf(hiding, "synapse-check").SECRET_CONFIG, path);
    const mounts = registered(hiding, "synapse-container").inputs.mounts as { target: string }[];
    assert.deepEqual(
        mounts.find(({ target }) => target === "/secrets"),
        { type: "volume", source: "synapse-test-secrets", target: "/secrets", readOnly: true },
    );
    assert.ok(everythingBefore(hiding, "synapse-check").has("synapse-secrets-store"));
    assert.ok(everythingBefore(hiding, "synapse-old-secrets").has("synapse-container"));
});

test("the password of another's database is handed over as a secret, by standard input alone", () => {
    const { stdin, ...others } = registered(elsewhere, "database-store").inputs;
    const value = "db.example.org:5432:synapse:chat:Hunter5\\:with\\\\marks\n";
    assert.deepEqual(stdin, { [SIGNATURE]: SECRET, value });
    assert.doesNotMatch(JSON.stringify(others), /Hunter5/);
    for (const { name, inputs } of elsewhere.registrations) {
        if (name !== "database-store") assert.doesNotMatch(JSON.stringify(inputs), /Hunter5/, name);
    }
    assert.ok(everythingBefore(elsewhere, "synapse-database").has("database-store"));
});

test("without secretConfig there is nothing of it", () => {
    for (const { name } of runs.files.registrations) assert.doesNotMatch(name, /secrets/);
    assert.equal(environmentOf(runs.files, "synapse-check").SECRET_CONFIG, "");
});

function base64(text: string): string {
    return Buffer.from(text).toString("base64");
}
