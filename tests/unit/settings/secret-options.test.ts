import assert from "node:assert/strict";
import { test } from "node:test";
import { faultsIn, LEAST, read, refusal } from "../../support/settings.ts";

/** With the option in place of the dots. */
const SECRET_PATH = "pulumi config set --secret --path synapse:secretConfig.…, and remove it here";

for (const [where, extraConfig, key, fix] of [
    ["a mail account's password", { email: { smtp_pass: "Hunter2" } }, "email.smtp_pass", SECRET_PATH],
    ["a password in digits", { email: { smtp_pass: 27182818 } }, "email.smtp_pass", SECRET_PATH],
    ["a pepper", { password_config: { pepper: "Hunter2" } }, "password_config.pepper", SECRET_PATH],
    ["a TURN password", { turn_password: "Hunter2" }, "turn_password", SECRET_PATH],
    [
        "a manhole's password",
        { manhole_settings: { password: "Hunter2" } },
        "manhole_settings.password",
        SECRET_PATH,
    ],
    ["a key of JSON web tokens", { jwt_config: { secret: "Hunter2" } }, "jwt_config.secret", SECRET_PATH],
    ["a DSN", { sentry: { dsn: "https://Hunter2@sentry.example.org/1" } }, "sentry.dsn", SECRET_PATH],
    ["a proxy's password", { https_proxy: "http://user:Hunter2@proxy:3128" }, "https_proxy", SECRET_PATH],
    ["a private key", { x: { y: "-----BEGIN EC PRIVATE KEY-----\nHunter2" } }, "x.y", SECRET_PATH],
    ["a connection's password", { x: { dsn_of: "host=db password=Hunter2" } }, "x.dsn_of", SECRET_PATH],
    ["a password in a URL in capitals", { x: { y: "HTTP://user:Hunter2@proxy" } }, "x.y", SECRET_PATH],
    [
        "an encryption key of a store for media",
        { media_storage_providers: [{ config: { sse_customer_key: "Hunter2" } }] },
        "media_storage_providers[0].config.sse_customer_key",
        /the whole list/,
    ],
    [
        "a private web key",
        { experimental_features: { msc3861: { jwk: { kty: "OKP", d: "Hunter2" } } } },
        "experimental_features.msc3861.jwk.d",
        SECRET_PATH,
    ],
    [
        "a TURN secret",
        { turn_shared_secret: "Hunter2" },
        "turn_shared_secret",
        /or use turn_shared_secret_path with a file/,
    ],
    [
        "a captcha's key",
        { recaptcha_private_key: "Hunter2" },
        "recaptcha_private_key",
        /or use recaptcha_private_key_path/,
    ],
    ["Redis' password", { redis: { password: "Hunter2" } }, "redis.password", /or use redis\.password_path/],
    [
        "an authentication service's secret",
        { matrix_authentication_service: { secret: "Hunter2" } },
        "matrix_authentication_service.secret",
        /or use matrix_authentication_service\.secret_path/,
    ],
    [
        "an experiment's token",
        { experimental_features: { msc3861: { admin_token: "Hunter2" } } },
        "experimental_features.msc3861.admin_token",
        SECRET_PATH,
    ],
    [
        "a client secret",
        { oidc_providers: [{ idp_id: "a" }, { client_secret: "Hunter2" }] },
        "oidc_providers[1].client_secret",
        /^move the whole list to synapse:secretConfig\.oidc_providers, with --secret, or use client_secret_path /,
    ],
    [
        "a client's signing key",
        { oidc_providers: [{ client_secret_jwt_key: { key: "Hunter2" } }] },
        "oidc_providers[0].client_secret_jwt_key.key",
        /or use key_file/,
    ],
    [
        "a module's key",
        { modules: [{ module: "a.B", config: { apiKey: "Hunter2" } }] },
        "modules[0].config.apiKey",
        /the whole list/,
    ],
] as const) {
    test(`${where} is refused in extraConfig, and not repeated`, () => {
        const message = refusal({ ...LEAST, extraConfig });
        assert.match(message, /^1 setting is wrong/);
        assert.doesNotMatch(message, /Hunter2|27182818/);
        const fault = faultsIn(message)[`extraConfig.${key}`];
        assert.equal(fault?.wanted, "no secret: previews show extraConfig");
        if (typeof fix === "string") assert.equal(fault.fix, fix.replace("…", key));
        else assert.match(fault.fix ?? "", fix);
    });
}

test("what only sounds like a secret is none", () => {
    const extraConfig = {
        registration_requires_token: true,
        password_config: { enabled: true, localdb_enabled: false, policy: { minimum_length: 12 } },
        email: { validation_token_lifetime: "15m", subjects: { password_reset: "Hello" }, smtp_pass: "" },
        login_via_existing_session: { enabled: true, token_timeout: "5m" },
        oidc_providers: [
            { client_secret_path: "/data/a", token_endpoint: "https://a/token", scopes: ["openid"] },
        ],
        turn_shared_secret_path: "/data/turn",
        refresh_token_lifetime: "24h",
        trusted_key_servers: [{ server_name: "a.org", verify_keys: { "ed25519:a": "abc" } }],
        recaptcha_public_key: "abc",
        server_notices: { system_mxid_localpart: "notices" },
    };
    assert.deepEqual(read({ ...LEAST, extraConfig }).extraConfig, extraConfig);
});
