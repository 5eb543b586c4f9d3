import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { load } from "js-yaml";
import {
    type HomeserverArgs,
    homeserverYaml,
    logConfig,
    secretYaml,
} from "../../components/synapse/homeserver.ts";
import { OWNED_OPTIONS } from "../../settings/homeserver-options.ts";

const ARGS: HomeserverArgs = {
    database: undefined,
    serverName: "example.org",
    publicBaseUrl: "https://matrix.example.org/",
    reportStats: false,
    maxUploadSize: "50M",
    mediaRetention: { remote: "90d", local: "off" },
    front: "proxy",
    listen: { http: [8008], tls: [] },
    federation: { enabled: true },
    ipv6: false,
    wellKnown: { client: {} },
    extraConfig: {},
};

const rendered = (more: Partial<HomeserverArgs>) =>
    load(homeserverYaml({ ...ARGS, ...more })) as Record<string, unknown>;

const listener = (port: number, { tls = false, x_forwarded = false } = {}) => ({
    port,
    type: "http",
    tls,
    bind_addresses: ["0.0.0.0"],
    x_forwarded,
    resources: [{ names: ["client", "federation"], compress: false }],
});

test("the rendered homeserver.yaml is this, behind a proxy", () => {
    assert.deepEqual(rendered({}), {
        server_name: "example.org",
        public_baseurl: "https://matrix.example.org/",
        report_stats: false,
        listeners: [listener(8008, { x_forwarded: true })],
        signing_key_path: "/data/example.org.signing.key",
        media_store_path: "/data/media_store",
        log_config: "/config/log.config",
        max_upload_size: "50M",
        media_retention: { remote_media_lifetime: "90d" },
        suppress_key_server_warning: true,
    });
});

test("media is kept as long as is said, and what is kept for ever has no lifetime", () => {
    const retention = (remote: string, local: string) =>
        rendered({ mediaRetention: { remote, local } }).media_retention;
    assert.deepEqual(retention("2w", "1y"), { remote_media_lifetime: "2w", local_media_lifetime: "1y" });
    // Not left out: the generated layer may have another one.
    assert.deepEqual(retention("off", "off"), {});
});

test("X-Forwarded-For is believed behind a proxy alone", () => {
    const listen = { http: [8008], tls: [8448] };
    for (const front of ["none", "tls", "proxy"] as const) {
        for (const { x_forwarded } of rendered({ front, listen }).listeners as { x_forwarded: boolean }[]) {
            assert.equal(x_forwarded, front === "proxy");
        }
    }
});

test("without TLS, Synapse listens for plain HTTP alone", () => {
    const { listeners, ...others } = rendered({ front: "none" });
    assert.deepEqual(listeners, [listener(8008)]);
    assert.equal("tls_certificate_path" in others, false);
});

test("with TLS of its own, Synapse listens for both and knows its certificate", () => {
    const { listeners, tls_certificate_path, tls_private_key_path } = rendered({
        front: "tls",
        listen: { http: [8008], tls: [8448, 18448] },
    });
    assert.deepEqual(listeners, [
        listener(8008),
        listener(8448, { tls: true }),
        listener(18448, { tls: true }),
    ]);
    assert.equal(tls_certificate_path, "/certificates/current/fullchain.pem");
    assert.equal(tls_private_key_path, "/certificates/current/privkey.pem");
});

test("neither key nor secret nor database stands in it", () => {
    const withKeys = Object.keys(rendered({ front: "tls", listen: { http: [8008], tls: [8448] } }));
    assert.deepEqual(
        withKeys.filter((option) => /secret|signing_key$|database|password/.test(option)),
        [],
    );
});

test("whatever is rendered cannot be set a second time by extraConfig", () => {
    const options = Object.keys(rendered({ front: "tls", listen: { http: [8008], tls: [8448] } }));
    const open = options.filter((option) => !(option in OWNED_OPTIONS));
    assert.deepEqual(open, ["suppress_key_server_warning"]);
});

test("without federation there is no resource for it, and no server to speak with", () => {
    const { listeners, federation_domain_whitelist } = rendered({
        federation: { enabled: false },
        front: "tls",
        listen: { http: [8008], tls: [8448] },
    });
    assert.deepEqual(
        (listeners as { resources: unknown }[]).map(({ resources }) => resources),
        [[{ names: ["client"], compress: false }], [{ names: ["client"], compress: false }]],
    );
    assert.deepEqual(federation_domain_whitelist, []);
});

test("a list of servers to federate with is Synapse's own", () => {
    const allowList = ["matrix.org", "example.net:8448"];
    const { federation_domain_whitelist } = rendered({ federation: { enabled: true, allowList } });
    assert.deepEqual(federation_domain_whitelist, allowList);
});

test("what clients are told beside the server's URL, Synapse tells them too", () => {
    const client = { "m.identity_server": { base_url: "https://id.example.org" } };
    assert.deepEqual(rendered({ wellKnown: { client } }).extra_well_known_client_content, client);
});

test("extraConfig is merged deeply over the rest", () => {
    const { suppress_key_server_warning, retention, server_name } = rendered({
        extraConfig: {
            suppress_key_server_warning: false,
            retention: { enabled: true, default_policy: { min_lifetime: "1d" } },
        },
    });
    assert.equal(suppress_key_server_warning, false);
    assert.deepEqual(retention, { enabled: true, default_policy: { min_lifetime: "1d" } });
    assert.equal(server_name, "example.org");
});

test("lists of extraConfig replace, they are not joined", () => {
    const { listeners } = rendered({ extraConfig: { listeners: ["other"] } });
    assert.deepEqual(listeners, ["other"]);
});

test("the secret layer holds each of its blocks as a whole, with what is visible of it, and nothing else", () => {
    const extraConfig = { email: { smtp_host: "a", notif_from: "b" }, presence: { enabled: false } };
    const secretConfig = { email: { smtp_pass: "Hunter2" }, turn_shared_secret: "Hunter3" };
    assert.deepEqual(load(secretYaml({ ...ARGS, extraConfig }, secretConfig)), {
        email: { smtp_host: "a", notif_from: "b", smtp_pass: "Hunter2" },
        turn_shared_secret: "Hunter3",
    });
    assert.doesNotMatch(homeserverYaml({ ...ARGS, extraConfig }), /Hunter/);
});

test("any extraConfig comes through as it is, beside the rest", () => {
    const option = fc.oneof(
        fc.string().filter((key) => !Object.hasOwn(rendered({}), key) && key !== "__proto__"),
        fc.constantFrom("on", "yes", "null", "010", "<<", "- a", "a: b", "#", "", "1.5"),
    );
    const text = fc.constantFrom(
        "no",
        "off",
        "~",
        "1e3",
        "0x1F",
        "12:30:45",
        "2024-01-01",
        "a\n b\n",
        "{",
        "&a",
        "!!x",
    );
    const value = fc.oneof(
        text,
        fc.json({ noUnicodeString: false }).map((json): unknown => JSON.parse(json)),
        fc.array(text),
    );
    fc.assert(
        fc.property(fc.dictionary(option, value, { noNullPrototype: true }), (extraConfig) => {
            const expected = { ...rendered({}), ...extraConfig };
            assert.equal(canonical(rendered({ extraConfig })), canonical(expected));
        }),
    );
});

test("numbers, flags and texts that look like them keep their types", () => {
    const extraConfig = { a: "1", b: 1, c: "true", d: true, e: null, f: "null", g: "1_000", h: "yes" };
    const { a, b, c, d, e, f, g, h } = rendered({ extraConfig });
    assert.deepEqual({ a, b, c, d, e, f, g, h }, extraConfig);
    // Synapse's parser reads YAML 1.1, where more words are numbers and flags than in the one here.
    assert.match(homeserverYaml({ ...ARGS, extraConfig }), /^g: '1_000'\nh: 'yes'$/m);
});

test("the log goes to the container's log, at the level that was asked for", () => {
    for (const level of ["DEBUG", "INFO", "WARNING", "ERROR"]) {
        const { root, handlers } = load(logConfig(level)) as Record<string, Record<string, unknown>>;
        assert.deepEqual(root, { level, handlers: ["console"] });
        assert.deepEqual(handlers?.console, { class: "logging.StreamHandler", formatter: "precise" });
    }
});

test("SQL is not logged at DEBUG, because access tokens stand in it", () => {
    const { loggers } = load(logConfig("DEBUG")) as Record<string, Record<string, unknown>>;
    assert.deepEqual(loggers?.["synapse.storage.SQL"], { level: "INFO" });
});

/** JSON in the order of the keys, without the sign of zero. */
function canonical(value: unknown): string {
    return JSON.stringify(value, (_key, inner: unknown) =>
        typeof inner === "object" && inner !== null && !Array.isArray(inner)
            ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
            : inner,
    );
}

const CONNECTION = {
    host: "postgres",
    port: 5432,
    dbname: "synapse",
    user: "synapse",
    sslmode: "disable",
    sslrootcert: undefined,
    secrets: { source: "synapse-database", target: "/database" },
} as const;

test("a database is reached with the password file, and its certificate checked where there is one", () => {
    const args = {
        host: "postgres",
        port: 5432,
        dbname: "synapse",
        user: "synapse",
        passfile: "/database/synapse.pgpass",
        sslmode: "disable",
        cp_min: 5,
        cp_max: 10,
    };
    assert.deepEqual(rendered({ database: CONNECTION }).database, { name: "psycopg2", args });
    const checked = { sslmode: "verify-full", sslrootcert: "/database/ca.pem" } as const;
    assert.deepEqual(rendered({ database: { ...CONNECTION, ...checked } }).database, {
        name: "psycopg2",
        args: { ...args, ...checked },
    });
});
