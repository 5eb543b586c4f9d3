import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { type HomeserverSettings, ownConfig, readSettings, settingsOf } from "../../../settings/read.ts";
import { settingsSchema } from "../../../settings/schema.ts";
import { asTexts, faultsIn, LEAST, read, refusal } from "../../support/settings.ts";

test("a server name and who speaks TLS are all that must be set", () => {
    assert.deepEqual(read(LEAST, { stack: "prod" }), {
        serverName: "example.org",
        publicHost: "example.org",
        reportStats: false,
        tls: { mode: "files", directory: "/etc/letsencrypt", profile: "intermediate", http3: false },
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
            postgres: "postgres:17.9-trixie",
            restic: "restic/restic:0.19.1",
        },
        database: { kind: "postgres", version: 17, upgrade: false, moved: false },
        databaseChosen: false,
        memory: { synapse: 4096, nginx: 256, postgres: 1024, backup: 1024 },
        mediaRetention: { remote: "90d", local: "off" },
        upgrade: { dump: true },
        signingKey: { rotation: 0 },
        ephemeral: false,
        takeOver: [],
        name: "synapse",
    });
});

test("a setting that does not exist is refused, and its near miss named", () => {
    for (const [key, near] of [
        ["server_name", "serverName"],
        ["log-level", "logLevel"],
        ["MaxUploadSize", "maxUploadSize"],
    ] as const) {
        assert.deepEqual(faultsIn(refusal({ ...LEAST, [key]: "some value" }))[key], {
            got: "a setting that does not exist",
            wanted: `synapse:${near}, perhaps`,
            fix: `pulumi config rm synapse:${key}`,
        });
    }
    const { postgres } = faultsIn(refusal({ ...LEAST, postgres: "some value" }));
    assert.equal(postgres?.wanted, "a setting from docs/settings.md");
});

test("a setting's path that was set without --path is refused with the way to set it", () => {
    for (const [key, remove, set] of [
        [
            "extraConfig.presence",
            "rm synapse:extraConfig.presence",
            "set --path synapse:extraConfig.presence",
        ],
        ["tls.names[0]", "rm 'synapse:tls.names[0]'", "set --path 'synapse:tls.names[0]'"],
        [
            "secretConfig.email.smtp_pass",
            "rm synapse:secretConfig.email.smtp_pass",
            "set --secret --path synapse:secretConfig.email.smtp_pass",
        ],
    ] as const) {
        const message = refusal({ ...LEAST, [key]: "some value" });
        assert.ok(
            message.includes(`did you mean --path? pulumi config ${remove} && pulumi config ${set} <value>`),
            message,
        );
    }
    assert.ok(!refusal({ ...LEAST, "postgres.host": "x" }).includes("--path"));
});

test("a list is set by its entries", () => {
    for (const [tls, key] of [
        [{ mode: "acme", names: "example.org" }, "tls.names"],
        [
            { mode: "proxy", publicUrl: "https://x.example.org", trustedProxies: "10.0.0.1" },
            "tls.trustedProxies",
        ],
    ] as const) {
        const message = refusal({ ...LEAST, tls });
        assert.equal(faultsIn(message)[key]?.fix, `pulumi config set --path 'synapse:${key}[0]' <value>`);
    }
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

test("the name follows the stack's, unless it is set", () => {
    for (const [stack, name] of [
        ["prod", "synapse"],
        ["production", "synapse"],
        ["dev", "synapse-dev"],
        ["PR-17", "synapse-pr-17"],
    ] as const) {
        assert.equal(read(LEAST, { stack }).name, name);
        assert.equal(read({ ...LEAST, name: "own" }, { stack }).name, "own");
    }
});

test("an empty text stands for a setting that is left out", () => {
    const config = { ...LEAST, publicHost: "", name: "", dockerHost: "" };
    assert.deepEqual(read(config, { stack: "prod" }), read(LEAST, { stack: "prod" }));
});

test("only the project's own namespace is read", () => {
    const config = { "synapse:serverName": "a.org", "docker:host": "x", "synapse-x:name": "y" };
    assert.deepEqual(ownConfig("synapse", config), { serverName: "a.org" });
});

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
                readSettings("dev", { ...asTexts(LEAST), ...config }, () => false);
            } catch (error) {
                assert.ok(pulumi.RunError.isInstance(error), String(error));
            }
        }),
    );
});

// --- Settings that a program gives --------------------------------------------------------------------------------

const GIVEN = { serverName: "example.org", tls: { mode: "files" } } as const;

function refusalOf(given: object): string {
    try {
        settingsOf(given as HomeserverSettings, "dev", "chat");
    } catch (error) {
        assert.ok(pulumi.RunError.isInstance(error));
        return error.message;
    }
    assert.fail("it was not refused");
}

test("a program's settings are completed as a stack's are, and named by the server", () => {
    const { name, ...others } = settingsOf(GIVEN, "dev", "chat");
    const { name: _, ...ofStack } = read(LEAST, { stack: "dev" });
    assert.equal(name, "chat-dev");
    assert.deepEqual(others, ofStack);
    assert.equal(settingsOf(GIVEN, "prod", "chat").name, "chat");
    assert.equal(settingsOf({ ...GIVEN, name: "own" }, "dev", "chat").name, "own");
});

test("a name that nobody wrote is one that Docker takes, however stack and server are called", () => {
    const longest = /^[a-z0-9][a-z0-9_.-]{0,39}$/;
    const long = "a-rather-long-name-of-some-feature-branch-";
    const names = [`${long}1`, `${long}2`].map((stack) => read(LEAST, { stack }).name);
    names.push(...["My Server", "a/b", "_x", long].map((server) => settingsOf(GIVEN, "dev", server).name));
    for (const name of names) assert.match(name, longest);
    assert.equal(new Set(names).size, names.length);
});

test("what is wrong with a program's settings is said by server and key, without advice for a stack", () => {
    const message = refusalOf({ ...GIVEN, tls: undefined, maxUploadSize: "lots" });
    assert.match(message, /^the homeserver "chat": 2 settings are wrong\.\n {2}tls\n/);
    assert.doesNotMatch(message, /pulumi config|synapse:|nothing was touched/);
    assert.doesNotMatch(refusalOf({ ...GIVEN, secretConfig: "Hunter2" }), /Hunter2/);
});

test("an output is refused: it is not known before anything is registered", () => {
    const secretConfig = { turn_shared_secret: pulumi.secret("Hunter2") };
    const message = refusalOf({ ...GIVEN, secretConfig });
    assert.match(message, /^ {2}secretConfig\.turn_shared_secret\n {4}got: {4}an output\n/m);
    assert.doesNotMatch(message, /Hunter2/);
});
