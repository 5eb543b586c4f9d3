import assert from "node:assert/strict";
import { test } from "node:test";
import { settingsWithSecrets } from "../../../settings/read.ts";
import { settingsSchema } from "../../../settings/schema.ts";
import { faultsIn, LEAST, read, refusal } from "../../support/settings.ts";

test("a value that is a secret is never repeated, whatever is wrong with it", () => {
    const secret = Object.keys(settingsSchema.shape);
    for (const key of secret) {
        for (const value of [
            "Hunter2 Hunter2",
            ["Hunter2"],
            { mode: "Hunter2" },
            { mode: "synapse", directory: "Hunter2", certificate: "/Hunter2" },
            { http: "Hunter2", synapse: "Hunter2 Hunter2", public: ["Hunter2"], server_name: "Hunter2" },
        ]) {
            const message = refusal({ ...LEAST, [key]: value }, { secret });
            assert.doesNotMatch(message, /Hunter2/);
            assert.match(message, /\[secret\]|a setting that does not exist/);
        }
    }
});

test("extraConfig cannot be a secret, because previews show it", () => {
    const extraConfig = { email: { smtp_pass: "Hunter2" } };
    const message = refusal({ ...LEAST, extraConfig }, { secret: ["extraConfig"] });
    assert.match(message, /previews show/);
    assert.doesNotMatch(message, /Hunter2/);
});

test("secretConfig takes secrets, if they were set with --secret", () => {
    const secretConfig = { email: { smtp_pass: "Hunter2" }, turn_shared_secret: "Hunter2" };
    assert.deepEqual(
        read({ ...LEAST, secretConfig }, { secret: ["secretConfig"] }).secretConfig,
        secretConfig,
    );
    const message = refusal({ ...LEAST, secretConfig });
    assert.doesNotMatch(message, /Hunter2/);
    const { "secretConfig.email": fault } = faultsIn(message);
    assert.equal(fault?.got, "plain text");
    assert.match(fault.fix ?? "", /^pulumi config set --secret --path synapse:secretConfig\.email;/);
});

test("an engine without encryption can tell which settings hold secrets", () => {
    const tls = {
        mode: "acme",
        email: "a@b.org",
        challenge: { type: "dns-01", plugin: "x", credentials: "y" },
    };
    const texts = {
        serverName: "a.org",
        tls: JSON.stringify(tls),
        secretConfig: '{"turn_shared_secret":"x"}',
    };
    assert.deepEqual(settingsWithSecrets(texts), ["tls", "secretConfig"]);
    assert.deepEqual(
        settingsWithSecrets({ serverName: "a.org", tls: '{"mode":"none"}', secretConfig: "{}" }),
        [],
    );
});
