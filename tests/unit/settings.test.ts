import assert from "node:assert/strict";
import { BlockList } from "node:net";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { clientBaseUrl } from "../../addresses.ts";
import { ownConfig, readSettings, type Settings, settingsWithSecrets } from "../../settings.ts";
import { isServerName, OWNED_OPTIONS, settingsSchema } from "../../settings-schema.ts";
import { some } from "../support/some.ts";

type Config = Readonly<Record<string, unknown>>;

/** The settings of a stack, from values as they stand in its file. */
function read(config: Config, { stack = "dev", secret = [] as readonly string[] } = {}): Settings {
    // As Pulumi hands them over: text, with anything else as JSON.
    const texts = Object.entries(config).map(([key, value]) => [
        key,
        typeof value === "string" ? value : JSON.stringify(value),
    ]);
    return readSettings(stack, Object.fromEntries(texts) as Record<string, string>, (key) =>
        secret.includes(key),
    );
}

/** The message with which a configuration is refused. */
function refusal(config: Config, options?: Parameters<typeof read>[1]): string {
    try {
        read(config, options);
    } catch (error) {
        // Pulumi shows this kind of error by its message alone.
        assert.ok(pulumi.RunError.isInstance(error), String(error));
        return error.message;
    }
    assert.fail(`${JSON.stringify(config)} was not refused`);
}

/** What a message says of each setting: key → its lines by their titles. */
function faultsIn(message: string): Record<string, Record<string, string>> {
    const [, ...paragraphs] = message.split(/\n {2}synapse:/);
    return Object.fromEntries(
        paragraphs.map((paragraph) => {
            const [key = "", ...lines] = paragraph.split("\n");
            const titled = lines.map((line) => /^ {4}(got|wanted|fix): +(.*)$/.exec(line)?.slice(1) ?? []);
            return [key, Object.fromEntries(titled) as Record<string, string>];
        }),
    );
}

const NAMED = { serverName: "example.org" };

// --- One fault each -----------------------------------------------------------------------------------------------

const SET = (key: string) => `pulumi config set synapse:${key} <value>`;
const SET_PATH = (key: string) => `pulumi config set --path synapse:${key} <value>`;
const PORT = "a whole number from 1 to 65535";
const LOWER_CASE = "the name in lower case: servers compare names byte by byte";
const SOME_NAME = "a DNS name, an IPv4 address or an IPv6 address in brackets, e.g. example.org";
const HOST = "a host name, in lower case and without a port, e.g. matrix.example.org";
const SIZE = "a whole number with K or M, e.g. 50M";
const MODE = "an object with `mode`: none, synapse, letsencrypt, acme, local-ca or proxy";
const ABSOLUTE = "an absolute path on the Docker host, without commas, quotes, spaces or ..";
const RELATIVE = "a path relative to tls.directory, without commas, quotes, spaces or ..";
const ADDRESS = "an IPv4 or IPv6 address of the Docker host, e.g. 127.0.0.1 or ::";
const ENGINE = "unix:///path, tcp://host:port or ssh://user@host, without a password";
const IMAGE = "an image reference, e.g. nginx:1.30.0";
const NAME = "up to 40 lower-case letters, digits and _ . -, beginning with a letter or digit";
const MEMORY = (least: number) => `a whole number of MiB, at least ${least}`;

for (const [config, key, got, wanted, fix] of [
    [{ serverName: "Example.org" }, "serverName", '"Example.org"', LOWER_CASE, SET("serverName")],
    [{ serverName: "[2001:DB8::1]" }, "serverName", '"[2001:DB8::1]"', LOWER_CASE, SET("serverName")],
    [{ serverName: "https://a" }, "serverName", '"https://a"', SOME_NAME, SET("serverName")],
    [{ serverName: "under_score" }, "serverName", '"under_score"', SOME_NAME, SET("serverName")],
    [{ serverName: "::1" }, "serverName", '"::1"', SOME_NAME, SET("serverName")],
    [{ serverName: "1.2.3.456" }, "serverName", '"1.2.3.456"', SOME_NAME, SET("serverName")],
    [{ ...NAMED, publicHost: "a.org:443" }, "publicHost", '"a.org:443"', HOST, SET("publicHost")],
    [{ ...NAMED, publicHost: "[fe80::1%eth0]" }, "publicHost", '"[fe80::1%eth0]"', HOST, SET("publicHost")],
    [{ ...NAMED, reportStats: "yes" }, "reportStats", '"yes"', "true or false", SET("reportStats")],
    [{ ...NAMED, tls: "none" }, "tls", '"none"', MODE, SET("tls")],
    [{ ...NAMED, tls: { mode: "tls" } }, "tls.mode", '{"mode":"tls"}', MODE, SET_PATH("tls.mode")],
    [
        { ...NAMED, tls: { mode: "letsencrypt", profile: "old" } },
        "tls.profile",
        '"old"',
        /"intermediate"\|"modern"/,
        SET_PATH("tls.profile"),
    ],
    ...["certs", "/a,readonly", "/a b", '/a"b', "/a/../b"].map(
        (directory) =>
            [
                { ...NAMED, tls: { mode: "letsencrypt", directory } },
                "tls.directory",
                JSON.stringify(directory),
                ABSOLUTE,
                SET_PATH("tls.directory"),
            ] as const,
    ),
    ...["/a.pem", "../a.pem", "a,b", ""].map(
        (certificate) =>
            [
                { ...NAMED, tls: { mode: "synapse", certificate } },
                "tls.certificate",
                JSON.stringify(certificate),
                RELATIVE,
                SET_PATH("tls.certificate"),
            ] as const,
    ),
    ...[0, 65536, 1.5, -1, "http", "80 ", true].map(
        (https) =>
            [
                { ...NAMED, ports: { https } },
                "ports.https",
                JSON.stringify(https),
                PORT,
                SET_PATH("ports.https"),
            ] as const,
    ),
    [
        { ...NAMED, ports: { https: 8443, federation: 8443 } },
        "ports.federation",
        "8443",
        "a port of its own, and not that of ports.https",
        SET_PATH("ports.federation"),
    ],
    [
        { ...NAMED, ports: { https: 80 } },
        "ports.https",
        "80",
        "a port of its own, and not that of ports.http, which is the same when it is left out",
        /ports\.http <value>, or another ports\.https$/,
    ],
    [
        { ...NAMED, listenAddresses: { public: ["localhost"] } },
        "listenAddresses.public[0]",
        '"localhost"',
        ADDRESS,
        SET_PATH("listenAddresses.public[0]"),
    ],
    [
        { ...NAMED, listenAddresses: { synapse: [] } },
        "listenAddresses.synapse",
        "[]",
        "at least one address",
        SET_PATH("listenAddresses.synapse"),
    ],
    [{ ...NAMED, maxUploadSize: "50MB" }, "maxUploadSize", '"50MB"', SIZE, SET("maxUploadSize")],
    [{ ...NAMED, maxUploadSize: "0M" }, "maxUploadSize", '"0M"', SIZE, SET("maxUploadSize")],
    [{ ...NAMED, maxUploadSize: "50m" }, "maxUploadSize", '"50m"', SIZE, SET("maxUploadSize")],
    [{ ...NAMED, maxUploadSize: 50 }, "maxUploadSize", "50", "a size such as 50M", SET("maxUploadSize")],
    ...[4, 3601, 5.5, "later"].map(
        (startSeconds) =>
            [
                { ...NAMED, startSeconds },
                "startSeconds",
                JSON.stringify(startSeconds),
                "a whole number of seconds from 5 to 3600",
                SET("startSeconds"),
            ] as const,
    ),
    ...[-1, 61, 0.5, "soon"].map(
        (holdSeconds) =>
            [
                { ...NAMED, holdSeconds },
                "holdSeconds",
                JSON.stringify(holdSeconds),
                "a whole number of seconds from 0 to 60",
                SET("holdSeconds"),
            ] as const,
    ),
    [
        { ...NAMED, logLevel: "info" },
        "logLevel",
        '"info"',
        "one of DEBUG, INFO, WARNING, ERROR",
        SET("logLevel"),
    ],
    [
        { ...NAMED, extraConfig: [1] },
        "extraConfig",
        "[1]",
        "an object of homeserver.yaml options",
        SET("extraConfig"),
    ],
    [{ ...NAMED, images: { nginx: "a b" } }, "images.nginx", '"a b"', IMAGE, SET_PATH("images.nginx")],
    [
        { ...NAMED, memory: { synapse: 255 } },
        "memory.synapse",
        "255",
        MEMORY(256),
        SET_PATH("memory.synapse"),
    ],
    [{ ...NAMED, memory: { nginx: "1G" } }, "memory.nginx", '"1G"', MEMORY(64), SET_PATH("memory.nginx")],
    [{ ...NAMED, ephemeral: 1 }, "ephemeral", "1", "true or false", SET("ephemeral")],
    [{ ...NAMED, name: "Synapse" }, "name", '"Synapse"', NAME, SET("name")],
    [{ ...NAMED, name: "a".repeat(41) }, "name", /a{41}/, NAME, SET("name")],
    [{ ...NAMED, dockerHost: "localhost" }, "dockerHost", '"localhost"', ENGINE, SET("dockerHost")],
    [{ ...NAMED, dockerHost: "ssh://a:b@c" }, "dockerHost", /"ssh:/, ENGINE, SET("dockerHost")],
] as const) {
    test(`${key} ${typeof got === "string" ? got : String(got)} is refused, with what is wanted and how to set it`, () => {
        const message = refusal(config);
        assert.match(message, /^1 setting is wrong; nothing was touched\.\n/);
        const faults = faultsIn(message);
        assert.deepEqual(Object.keys(faults), [key]);
        for (const [title, expected] of Object.entries({ got, wanted, fix })) {
            const line = faults[key]?.[title] ?? "";
            if (typeof expected === "string") assert.equal(line, expected);
            else assert.match(line, expected);
        }
    });
}

test("a server name that is left out is asked for", () => {
    assert.deepEqual(faultsIn(refusal({})), {
        serverName: {
            got: "nothing",
            wanted: "a Matrix server name, e.g. example.org",
            fix: "pulumi config set synapse:serverName <value>",
        },
    });
});

test("a server name with a port is refused with the reason", () => {
    for (const serverName of ["example.org:8448", "1.2.3.4:443", "[::1]:8448"]) {
        const { serverName: fault } = faultsIn(refusal({ serverName }));
        assert.match(fault?.wanted ?? "", /without a port: .* for ever, and \.well-known does/);
    }
});

test("a setting that does not exist is refused, and its near miss named", () => {
    for (const [key, near] of [
        ["server_name", "serverName"],
        ["log-level", "logLevel"],
        ["MaxUploadSize", "maxUploadSize"],
    ] as const) {
        assert.deepEqual(faultsIn(refusal({ ...NAMED, [key]: "some value" }))[key], {
            got: "a setting that does not exist",
            wanted: `synapse:${near}, perhaps`,
            fix: `pulumi config rm synapse:${key}`,
        });
    }
    const { postgres } = faultsIn(refusal({ ...NAMED, postgres: "some value" }));
    assert.equal(postgres?.wanted, "a setting from the README's table");
});

test("a setting that another mode has is refused", () => {
    const message = refusal({ ...NAMED, tls: { mode: "none", directory: "/etc/letsencrypt" } });
    assert.equal(faultsIn(message)["tls.directory"]?.fix, "pulumi config rm --path synapse:tls.directory");
});

test("every fault is reported at once", () => {
    const message = refusal({
        serverName: "Example.org",
        ports: { http: 0, https: "x", ftp: 21 },
        tls: { mode: "tls" },
        extraConfig: { listeners: [], database: {} },
        listenAddresses: { public: ["::", "nowhere"] },
        loglevel: "INFO",
    });
    assert.match(message, /^9 settings are wrong; nothing was touched\.\n/);
    assert.deepEqual(
        Object.keys(faultsIn(message)).sort(),
        [
            "serverName",
            "ports.http",
            "ports.https",
            "ports.ftp",
            "tls.mode",
            "extraConfig.listeners",
            "extraConfig.database",
            "listenAddresses.public[1]",
            "loglevel",
        ].sort(),
    );
});

for (const [option, instead] of Object.entries(OWNED_OPTIONS)) {
    test(`extraConfig's ${option} is refused: ${instead}`, () => {
        const fault = faultsIn(refusal({ ...NAMED, extraConfig: { [option]: "own-value" } }))[
            `extraConfig.${option}`
        ];
        assert.equal(fault?.wanted, "nothing: the program owns this option");
        assert.equal(fault?.fix, instead);
        assert.doesNotMatch(fault?.got ?? "", /own-value/);
    });
}

test("whatever the rendered homeserver.yaml decides for itself is an owned option", () => {
    for (const option of ["server_name", "public_baseurl", "listeners", "database", "signing_key_path"]) {
        assert.ok(Object.hasOwn(OWNED_OPTIONS, option), option);
    }
});

test("every setting that an owned option's refusal points to exists", () => {
    const named = Object.values(OWNED_OPTIONS).flatMap((instead) => [...instead.matchAll(/synapse:(\w+)/g)]);
    for (const [, key = ""] of some(named)) assert.ok(key in settingsSchema.shape, key);
});

// --- Secrets ------------------------------------------------------------------------------------------------------

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
            const message = refusal({ ...NAMED, [key]: value }, { secret });
            assert.doesNotMatch(message, /Hunter2/);
            assert.match(message, /\[secret\]|a setting that does not exist/);
        }
    }
});

test("a secret port is not repeated when another has it too", () => {
    const options = { secret: ["ports"] };
    assert.doesNotMatch(refusal({ ...NAMED, ports: { https: 4711, http: 4711 } }, options), /4711/);
    assert.doesNotMatch(refusal({ ...NAMED, ports: { https: 8448 } }, options), /8448/);
});

test("extraConfig cannot be a secret, because previews show it", () => {
    const extraConfig = { email: { smtp_pass: "Hunter2" } };
    const message = refusal({ ...NAMED, extraConfig }, { secret: ["extraConfig"] });
    assert.match(message, /previews show/);
    assert.doesNotMatch(message, /Hunter2/);
});

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
        const message = refusal({ ...NAMED, extraConfig });
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
    assert.deepEqual(read({ ...NAMED, extraConfig }).extraConfig, extraConfig);
});

test("secretConfig takes secrets, if they were set with --secret", () => {
    const secretConfig = { email: { smtp_pass: "Hunter2" }, turn_shared_secret: "Hunter2" };
    assert.deepEqual(
        read({ ...NAMED, secretConfig }, { secret: ["secretConfig"] }).secretConfig,
        secretConfig,
    );
    const message = refusal({ ...NAMED, secretConfig });
    assert.doesNotMatch(message, /Hunter2/);
    const { "secretConfig.email": fault } = faultsIn(message);
    assert.equal(fault?.got, "plain text");
    assert.match(fault.fix ?? "", /^pulumi config set --secret --path synapse:secretConfig\.email;/);
});

test("secretConfig cannot set what the program owns either, nor an option twice", () => {
    const secret = ["secretConfig"];
    const owned = refusal({ ...NAMED, secretConfig: { macaroon_secret_key: "Hunter2" } }, { secret });
    assert.match(owned, /wanted: nothing: the program owns this option/);
    const twice = { extraConfig: { modules: [] }, secretConfig: { modules: [{ module: "a.B" }] } };
    assert.match(refusal({ ...NAMED, ...twice }, { secret }), /synapse:extraConfig\.modules\n/);
    const blocks = {
        extraConfig: { email: { smtp_host: "a" } },
        secretConfig: { email: { smtp_pass: "b" } },
    };
    assert.ok(read({ ...NAMED, ...blocks }, { secret }));
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

// --- Defaults -----------------------------------------------------------------------------------------------------

test("a server name is all that must be set", () => {
    assert.deepEqual(read(NAMED, { stack: "prod" }), {
        serverName: "example.org",
        publicHost: "example.org",
        reportStats: false,
        tls: { mode: "letsencrypt", directory: "/etc/letsencrypt", profile: "intermediate", http3: false },
        ports: { http: 80, https: 443, federation: 8448, synapse: 8008 },
        listenAddresses: { public: ["0.0.0.0"], synapse: ["127.0.0.1"] },
        ipv6: false,
        ip6tables: false,
        maxUploadSize: "50M",
        holdSeconds: 30,
        startSeconds: 180,
        logLevel: "INFO",
        federation: { enabled: true, port: 8448 },
        wellKnown: { client: {}, server: {} },
        extraConfig: {},
        secretConfig: {},
        images: {
            synapse: "ghcr.io/element-hq/synapse:v1.163.2",
            nginx: "nginx:1.30.0",
            certbot: "certbot/certbot:v5.6.0",
        },
        memory: { synapse: 4096, nginx: 256 },
        ephemeral: false,
        takeOver: [],
        name: "synapse",
    });
});

const LOCAL = { ...NAMED, tls: { mode: "local-ca" } };
for (const [config, key, wanted, fix] of [
    [
        { ...LOCAL, federation: { port: 8449 } },
        "federation.port",
        /^443 or 8448$/,
        /federation\.port <value>/,
    ],
    [
        { ...LOCAL, federation: { allowList: ["Not A Name"] } },
        "federation.allowList[0]",
        /server names/,
        /allowList/,
    ],
    [
        { ...LOCAL, federation: { allowList: [] } },
        "federation.allowList",
        /federation\.enabled false/,
        /allowList/,
    ],
    [
        { ...LOCAL, federation: { enabled: false, allowList: ["a.org"] } },
        "federation.allowList",
        /^nothing: federation\.enabled is false$/,
        /^pulumi config rm --path synapse:federation\.allowList$/,
    ],
    [
        { ...LOCAL, federation: { enabled: false }, wellKnown: { server: { a: 1 } } },
        "wellKnown.server",
        /^nothing: federation\.enabled is false$/,
        /config rm/,
    ],
    [
        { ...LOCAL, federation: { port: 443 }, ports: { federation: 9448 } },
        "ports.federation",
        /^nothing: federation\.port is 443, which is ports\.https$/,
        /config rm/,
    ],
    [
        { ...NAMED, federation: { port: 443 }, tls: { mode: "synapse" } },
        "federation.port",
        /^8448: in tls\.mode synapse /,
        /ports\.federation 443$/,
    ],
    [
        { ...LOCAL, wellKnown: { client: { "m.homeserver": {} } } },
        "wellKnown.client.m.homeserver",
        /^nothing: the program sets it itself$/,
        /^set synapse:publicHost/,
    ],
    [
        { ...LOCAL, wellKnown: { server: { "m.server": "a" } } },
        "wellKnown.server.m.server",
        /^nothing/,
        /synapse:federation\.port$/,
    ],
    [
        { ...LOCAL, wellKnown: { support: {} } },
        "wellKnown.support",
        /`contacts` or `support_page`/,
        /support/,
    ],
    [
        { ...LOCAL, wellKnown: { client: { a: "x".repeat(3001) } } },
        "wellKnown.client",
        /^at most 3000 /,
        /client/,
    ],
    // Three bytes each, and seven for an apostrophe.
    ...["字".repeat(1000), "'".repeat(430)].map(
        (a) =>
            [
                { ...LOCAL, wellKnown: { client: { a } } },
                "wellKnown.client",
                /^at most 3000 /,
                /client/,
            ] as const,
    ),
    [
        { serverName: "localhost", tls: { mode: "none" }, wellKnown: { support: { contacts: [] } } },
        "wellKnown.support",
        /^nothing: in tls\.mode none nobody serves it$/,
        /or a tls\.mode with nginx$/,
    ],
    [
        { ...LOCAL, extraConfig: { serve_server_wellknown: true } },
        "extraConfig.serve_server_wellknown",
        /^nothing: behind nginx it has no effect$/,
        /synapse:wellKnown\.server/,
    ],
    [
        { ...LOCAL, extraConfig: { web_client_location: "https://app.example.org" } },
        "extraConfig.web_client_location",
        /^nothing: behind nginx it has no effect$/,
        /leave it out/,
    ],
] as const) {
    test(`${key} is refused where it would be wrong or without effect: ${wanted.source}`, () => {
        const message = refusal(config);
        assert.match(message, /^1 setting is wrong/);
        const fault = faultsIn(message)[key];
        assert.match(fault?.wanted ?? "", wanted);
        assert.match(fault?.fix ?? "", fix);
    });
}

// --- Who stands before it -----------------------------------------------------------------------------------------

const PUBLIC_URL = "https://matrix.example.org";
const behind = (tls: object, more: object = {}) => ({
    ...NAMED,
    ...more,
    tls: { mode: "proxy", publicUrl: PUBLIC_URL, ...tls },
});
const OPEN = { listenAddresses: { public: ["127.0.0.1", "10.0.0.2"] } };

for (const publicUrl of [
    "http://matrix.example.org",
    "https://matrix.example.org/chat",
    "https://matrix.example.org?x",
    "https://user@matrix.example.org",
    "https://Matrix.example.org",
    "https://matrix.example.org:0",
    "https://matrix.example.org:65536",
    "https://[::1",
    "https://",
    "matrix.example.org",
    8443,
]) {
    test(`tls.publicUrl ${publicUrl} is refused`, () => {
        const faults = faultsIn(refusal(behind({ publicUrl })));
        assert.deepEqual(Object.keys(faults), ["tls.publicUrl"]);
        assert.match(faults["tls.publicUrl"]?.wanted ?? "", /^an https URL without a path, e\.g\. https:/);
    });
}

for (const proxy of [
    "localhost",
    "10.0.0",
    "10.0.0.0/0",
    "::/0",
    "10.0.0.0/33",
    "fd00::/129",
    "fe80::1%eth0",
    "all",
    5,
]) {
    test(`tls.trustedProxies with ${proxy} is refused`, () => {
        const faults = faultsIn(refusal(behind({ trustedProxies: ["10.0.0.5", proxy] })));
        assert.deepEqual(Object.keys(faults), ["tls.trustedProxies[1]"]);
        assert.match(faults["tls.trustedProxies[1]"]?.wanted ?? "", /addresses and networks/);
    });
}

for (const [config, key, wanted, fix] of [
    [behind({ publicUrl: undefined }), "tls.publicUrl", /^an https URL/, /tls\.publicUrl <value>$/],
    [behind({ trustedProxies: [] }), "tls.trustedProxies", /addresses and networks/, /trustedProxies/],
    [
        behind({}, { publicHost: "example.org" }),
        "publicHost",
        /^nothing, or matrix\.example\.org as in tls\.publicUrl$/,
        /^pulumi config rm synapse:publicHost, or another tls\.publicUrl$/,
    ],
    [
        behind({}, { ports: { https: 443 } }),
        "ports.https",
        /^nothing: .*ports\.http is the only/,
        /config rm/,
    ],
    [behind({}, { ports: { federation: 8448 } }), "ports.federation", /^nothing: /, /config rm/],
    [
        behind({}, { federation: { port: 8448 } }),
        "federation.port",
        /^nothing: other servers come by the port of tls\.publicUrl, 443$/,
        /^pulumi config rm --path synapse:federation\.port$/,
    ],
    [
        behind({}, OPEN),
        "tls.trustedProxies",
        /^the addresses of your proxy: others reach 10\.0\.0\.2 too/,
        /or publish on 127\.0\.0\.1 alone$/,
    ],
    [
        behind({}, { ports: { synapse: 8080 } }),
        "ports.synapse",
        /not that of ports\.http, which is the same when it is left out$/,
        /ports\.http <value>/,
    ],
    [
        {
            serverName: "localhost",
            tls: { mode: "none" },
            listenAddresses: { synapse: ["127.0.0.1", "0.0.0.0"] },
        },
        "listenAddresses.synapse[1]",
        /^a loopback address: tls\.mode none encrypts nothing/,
        /tls\.mode proxy for a proxy of your own/,
    ],
    [
        { serverName: "localhost", publicHost: "matrix.example.org", tls: { mode: "none" } },
        "publicHost",
        /^a name for this machine alone/,
        /publicHost localhost; or tls\.mode proxy/,
    ],
    [{ ...NAMED, tls: { mode: "none" } }, "serverName", /^a name for this machine alone/, /tls\.mode proxy/],
] as const) {
    test(`${key} is refused with who stands before the server: ${wanted.source}`, () => {
        const faults = faultsIn(refusal(config));
        assert.deepEqual(Object.keys(faults), [key]);
        assert.match(faults[key]?.wanted ?? "", wanted);
        assert.match(faults[key]?.fix ?? "", fix);
    });
}

test("for a proxy on the Docker host nothing but its URL must be set", () => {
    const { listenAddresses, ports, publicHost } = read(behind({}));
    assert.deepEqual(listenAddresses, { public: ["127.0.0.1"], synapse: ["127.0.0.1"] });
    assert.equal(ports.http, 8080);
    assert.equal(publicHost, "matrix.example.org");
    assert.equal(read(behind({}, { publicHost: "matrix.example.org" })).publicHost, publicHost);
    const elsewhere = behind({ trustedProxies: ["10.0.0.1"] }, { ...OPEN, ports: { synapse: 443 } });
    assert.equal(read(elsewhere).ports.synapse, 443, "no port of this stack's");
});

test("the port of the clients may be said to be that of federation, which it is", () => {
    assert.ok(read(behind({}, { federation: { port: 443 } })));
    const publicUrl = `${PUBLIC_URL}:8448`;
    assert.ok(read(behind({ publicUrl }, { federation: { port: 8448 } })));
});

test("a first look may have a server name of the internet's, and names that it does not know", () => {
    const tls = { mode: "none" };
    assert.equal(read({ ...NAMED, publicHost: "localhost", tls }).serverName, "example.org");
    for (const serverName of ["localhost", "matrix.test", "matrix.localhost", "192.168.1.5", "[::1]"])
        assert.equal(read({ serverName, tls }).publicHost, serverName);
});

test("IPv6 is published only where the network has it, since all clients would have one address", () => {
    assert.ok(read({ ...NAMED, listenAddresses: { public: ["::1"] } }), "the host itself is but one client");
    const { "listenAddresses.synapse[0]": own } = faultsIn(
        refusal({ ...NAMED, listenAddresses: { synapse: ["::"] } }),
    );
    assert.match(own?.wanted ?? "", /^an IPv4 address/);
    for (const address of ["::", "2001:db8::1"]) {
        const listenAddresses = { public: ["0.0.0.0", address] };
        const { "listenAddresses.public[1]": fault } = faultsIn(refusal({ ...NAMED, listenAddresses }));
        assert.match(fault?.wanted ?? "", /a few failed logins of one lock everybody out/);
        assert.match(fault?.fix ?? "", /ipv6 true/);
        const { public: published } = read({ ...NAMED, ipv6: true, listenAddresses }).listenAddresses;
        assert.deepEqual(published, listenAddresses.public);
    }
});

test("Synapse's own port can be left unpublished, but where there is no other", () => {
    assert.equal(read({ ...NAMED, ports: { synapse: "off" } }).ports.synapse, "off");
    const none = refusal({ ...NAMED, tls: { mode: "none" }, ports: { synapse: "off" } });
    assert.match(faultsIn(none)["ports.synapse"]?.wanted ?? "", /there is no other/);
    assert.match(refusal({ ...NAMED, ports: { synapse: "none" } }), /65535, or off/);
    assert.match(refusal({ ...NAMED, ports: { https: "off" } }), /synapse:ports\.https/);
});

test("what has no effect behind nginx has one without it", () => {
    const extraConfig = { serve_server_wellknown: true, web_client_location: "https://app.example.org" };
    assert.deepEqual(read({ ...NAMED, tls: { mode: "synapse" }, extraConfig }).extraConfig, extraConfig);
});

test("8448 is free for another use where federation has no port of its own", () => {
    const ports = { https: 8448 };
    assert.match(refusal({ ...NAMED, ports }), /synapse:ports\.https/);
    assert.equal(read({ ...NAMED, ports, federation: { port: 443 } }).ports.https, 8448);
    assert.equal(read({ ...NAMED, ports, federation: { enabled: false } }).ports.https, 8448);
});

test("the name follows the stack's, unless it is set", () => {
    for (const [stack, name] of [
        ["prod", "synapse"],
        ["production", "synapse"],
        ["dev", "synapse-dev"],
        ["PR-17", "synapse-pr-17"],
    ] as const) {
        assert.equal(read(NAMED, { stack }).name, name);
        assert.equal(read({ ...NAMED, name: "own" }, { stack }).name, "own");
    }
});

test("a throw-away stack leaves the ports it is not given to Docker", () => {
    const { ports } = read({ ...NAMED, ephemeral: true, ports: { https: 8443 } });
    assert.deepEqual(ports, { http: undefined, https: 8443, federation: undefined, synapse: undefined });
});

test("ports may be given as text, as editors quote them", () => {
    assert.equal(read({ ...NAMED, ports: { https: "8443" } }).ports.https, 8443);
});

test("a standard port is free where nobody publishes its use, or Docker picks", () => {
    assert.equal(
        read({ serverName: "localhost", tls: { mode: "none" }, ports: { synapse: 80 } }).ports.synapse,
        80,
    );
    assert.equal(
        read({ ...NAMED, tls: { mode: "synapse" }, ports: { federation: 443 } }).ports.federation,
        443,
    );
    assert.equal(read({ ...NAMED, ephemeral: true, ports: { https: 80 } }).ports.https, 80);
    const swapped = { http: 443, https: 80 };
    assert.deepEqual(read({ ...NAMED, ports: swapped }).ports, {
        ...swapped,
        federation: 8448,
        synapse: 8008,
    });
});

test("an empty text stands for a setting that is left out", () => {
    const config = { ...NAMED, publicHost: "", name: "", dockerHost: "" };
    assert.deepEqual(read(config, { stack: "prod" }), read(NAMED, { stack: "prod" }));
});

test("only the project's own namespace is read", () => {
    const config = { "synapse:serverName": "a.org", "docker:host": "x", "synapse-x:name": "y" };
    assert.deepEqual(ownConfig("synapse", config), { serverName: "a.org" });
});

// --- Names: Matrix's grammar, and what stands in URLs, paths and configuration files ------------------------------

const label = fc
    .stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/)
    .filter((text) => !text.startsWith("xn--"));
// A name that ends in a number is no name: URLs take it for an IPv4 address.
const lastLabel = label.filter((text) => !/^([0-9]+|0x[0-9a-f]*)$/.test(text));
const dnsName = fc
    .tuple(fc.array(label, { maxLength: 5 }), lastLabel)
    .map(([labels, last]) => [...labels, last].join("."));
const ipv6Host = fc.ipV6().map((address) => `[${address}]`);
const validHost = fc.oneof(dnsName, fc.ipV4(), ipv6Host);

const invalidHost = fc.oneof(
    fc.tuple(validHost, fc.integer({ min: 0, max: 65535 })).map(([host, port]) => `${host}:${port}`),
    fc
        .tuple(
            validHost,
            fc.nat(),
            fc.constantFrom(
                " ",
                "/",
                '"',
                "'",
                "\n",
                "\r",
                "\t",
                "\0",
                ";",
                "$",
                "%",
                "@",
                "#",
                "?",
                "\\",
                "é",
                ",",
            ),
        )
        .map(([host, position, stray]) => {
            const at = position % (host.length + 1);
            return host.slice(0, at) + stray + host.slice(at);
        }),
    validHost.map((host) => host.toUpperCase()).filter((host) => /[A-Z]/.test(host)),
    validHost.map((host) => `.${host}`),
    validHost.map((host) => `${host}.`),
    dnsName.map((name) => `-${name}`),
    dnsName.map((name) => `${name}-`),
    fc.tuple(label, label).map((labels) => labels.join("..")),
    fc.tuple(dnsName, fc.nat()).map(([name, number]) => `${name}.${number}`),
    fc.ipV6(),
    ipv6Host.map((host) => host.replace("]", "%eth0]")),
);

test("every name of Matrix's grammar is a server name, without a port and in lower case", () => {
    fc.assert(
        fc.property(validHost, (host) => {
            assert.equal(read({ serverName: host }).serverName, host);
            assert.equal(read({ ...NAMED, publicHost: host }).publicHost, host);
        }),
        {
            examples: [
                ["localhost"],
                ["a"],
                ["xn--bcher-kva.de"],
                ["[::1]"],
                ["[::ffff:1.2.3.4]"],
                ["3com.com"],
            ],
        },
    );
});

test("nothing else is a server name or a public host", () => {
    const examples = [
        "",
        ".",
        "[",
        "[]",
        "[]]",
        "[1.2.3.4]",
        "123",
        "0x7f.1",
        "a.0xab",
        "xn--a",
        "..",
        "a/../b",
    ];
    fc.assert(
        fc.property(invalidHost, (host) => {
            assert.equal(isServerName(host), false);
            if (host === "") return;
            assert.ok("serverName" in faultsIn(refusal({ serverName: host })));
            assert.ok("publicHost" in faultsIn(refusal({ ...NAMED, publicHost: host })));
        }),
        { examples: examples.map((example) => [example]) },
    );
});

test("a name has at most 230 characters, and its labels 63", () => {
    const name = (length: number) => `${"a.".repeat(200)}`.slice(0, length - 1).concat("b");
    assert.equal(isServerName(name(229)), true);
    assert.equal(isServerName(name(231)), false);
    assert.equal(isServerName("a".repeat(63)), true);
    assert.equal(isServerName("a".repeat(64)), false);
});

test("the public URL of every host that is accepted leads to that host", () => {
    const modes = ["none", "synapse", "letsencrypt", "local-ca"].map(
        (mode) => read({ serverName: "localhost", tls: { mode } }).tls,
    );
    const port = fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined });
    fc.assert(
        fc.property(validHost, fc.constantFrom(...modes), port, (publicHost, tls, clientPort) => {
            const { hostname, pathname, search } = new URL(clientBaseUrl({ publicHost, tls }, clientPort));
            assert.deepEqual([pathname, search], ["/", ""]);
            if (publicHost.startsWith("[")) assert.ok(isSameAddress(hostname, publicHost));
            else assert.equal(hostname, publicHost);
        }),
    );
});

/** IPv6 addresses have many notations. */
function isSameAddress(one: string, other: string): boolean {
    const addresses = new BlockList();
    addresses.addAddress(one.slice(1, -1), "ipv6");
    return addresses.check(other.slice(1, -1), "ipv6");
}

// --- Whatever a person may write ----------------------------------------------------------------------------------

test("any configuration is either accepted or refused in plain words", () => {
    const key = fc.oneof(
        fc.constantFrom(...Object.keys(settingsSchema.shape)),
        fc.constantFrom("constructor", "toString", "hasOwnProperty"),
        fc.string({ minLength: 1 }),
    );
    const value = fc.oneof(
        fc.string(),
        fc.json(),
        fc.integer().map(String),
        fc.constantFrom("null", "true", "{}"),
    );
    fc.assert(
        fc.property(fc.dictionary(key, value), (config) => {
            try {
                readSettings("dev", { ...NAMED, ...config }, () => false);
            } catch (error) {
                assert.ok(pulumi.RunError.isInstance(error), String(error));
            }
        }),
    );
});

test("an option that only happens to be a word of JavaScript is nobody's own", () => {
    assert.deepEqual(read({ ...NAMED, extraConfig: { constructor: 1 } }).extraConfig, { constructor: 1 });
});

test("HTTP/3 wants a port that is known in advance", () => {
    const tls = JSON.stringify({ mode: "local-ca", http3: true });
    assert.throws(
        () => read({ ...NAMED, tls, ephemeral: "true" }),
        /synapse:tls\.http3[\s\S]*synapse:ports\.https <value>/,
    );
    assert.equal(read({ ...NAMED, tls, ephemeral: "true", ports: '{"https":8443}' }).ports.https, 8443);
    assert.equal(read({ ...NAMED, tls }).ports.https, 443);
});
