import assert from "node:assert/strict";
import { test } from "node:test";
import { type NginxConfArgs, nginxConf } from "../../components/nginx/conf.ts";
import { ANNOUNCEMENT } from "../../components/synapse/server.ts";
import { type Directive, everywhere, here, parseNginx } from "../support/nginx.ts";
import { some } from "../support/some.ts";

const ARGS: NginxConfArgs = {
    publicHost: "matrix.example.org",
    httpsPort: 443,
    federationPort: 8448,
    federation: "apart",
    wellKnown: { client: {}, server: {} },
    ipv6: false,
    maxUploadSize: "50M",
    profile: "intermediate",
    hsts: true,
    http3: false,
    acmeChallenges: false,
    holdSeconds: 15,
    memory: 256,
    holdScript: "",
    upstream: "synapse:8008",
    listen: { http: [80], https: [443], federation: [8448] },
};

const parsed = (more: Partial<NginxConfArgs> = {}) => parseNginx(nginxConf({ ...ARGS, ...more }).text);

/** The one directive of a name, at any depth. */
function only(directives: readonly Directive[], name: string): Directive {
    const found = everywhere(directives, name);
    assert.equal(found.length, 1, `${found.length} × ${name}`);
    return found[0] as Directive;
}

const serversOf = (directives: readonly Directive[]) =>
    everywhere(directives, "server").flatMap(({ block }) => (block === undefined ? [] : [block]));

/** The server that speaks TLS. */
function publicServer(directives: readonly Directive[]): readonly Directive[] {
    const tls = serversOf(directives).filter((block) =>
        here(block, "listen").some(({ args }) => args.includes("ssl")),
    );
    assert.equal(tls.length, 1);
    return tls[0] ?? [];
}

const locationsOf = (block: readonly Directive[]) =>
    here(block, "location").map((location) => ({ match: location.args, block: location.block ?? [] }));

const proxying = (block: readonly Directive[]) =>
    locationsOf(block).filter((location) => here(location.block, "proxy_pass").length > 0);

const headersOf = (block: readonly Directive[], directive = "add_header") =>
    Object.fromEntries(here(block, directive).map(({ args: [name = "", ...value] }) => [name, value]));

// --- What is passed on --------------------------------------------------------------------------------------------

test("requests are passed on as they came: proxy_pass has no path", () => {
    const passes = everywhere(parsed(), "proxy_pass");
    assert.deepEqual(
        passes.map(({ args }) => args),
        // The second is for a request that was held.
        [["http://synapse"], ["http://synapse"]],
    );
    assert.deepEqual(everywhere(parsed(), "rewrite"), []);
});

test("the client's address is set, never what the client says of itself", () => {
    const conf = parsed();
    for (const { block } of some(proxying(publicServer(conf)))) {
        assert.deepEqual(headersOf(block, "proxy_set_header"), {
            Connection: [""],
            Host: ["matrix.example.org"],
            "X-Forwarded-For": ["$remote_addr"],
            "X-Forwarded-Proto": ["$scheme"],
        });
    }
    const words = JSON.stringify(conf);
    for (const forged of [
        "$proxy_add_x_forwarded_for",
        "$http_x_forwarded_for",
        "real_ip_header",
        "set_real_ip",
    ]) {
        assert.ok(!words.includes(forged), forged);
    }
});

test("a proxy that is trusted is believed about the client's address, and about nothing else", () => {
    const trustedProxies = { addresses: ["10.0.0.5", "fd00::/8"], host: true };
    const conf = parsed({ trustedProxies, httpsPort: 8443, federation: "with clients" });
    assert.deepEqual(
        everywhere(conf, "set_real_ip_from").map(({ args }) => args),
        [["10.0.0.5"], ["fd00::/8"]],
    );
    assert.deepEqual(only(conf, "include").args, ["/run/host.conf"]);
    assert.deepEqual(only(conf, "real_ip_header").args, ["X-Forwarded-For"]);
    assert.deepEqual(only(conf, "real_ip_recursive").args, ["on"]);
    const [own = []] = serversOf(conf).filter((block) => proxying(block).length > 0);
    for (const { block } of some(proxying(own))) {
        assert.deepEqual(headersOf(block, "proxy_set_header"), {
            Connection: [""],
            Host: ["matrix.example.org:8443"],
            "X-Forwarded-For": ["$remote_addr"],
            "X-Forwarded-Proto": ["https"],
        });
    }
    const others = { addresses: ["10.0.0.5"], host: false };
    assert.deepEqual(everywhere(parsed({ trustedProxies: others }), "include"), []);
});

test("behind a proxy there is one server for plain HTTP, and nothing of TLS", () => {
    const trustedProxies = { addresses: [], host: true };
    const listen = { http: [80, 10080], https: [], federation: [] };
    const { text } = nginxConf({ ...ARGS, trustedProxies, listen, http3: true, hsts: true });
    const conf = parseNginx(text);
    assert.deepEqual(listens(conf), [["127.0.0.1:8081"], ["80 default_server", "10080 default_server"]]);
    assert.doesNotMatch(text, /ssl_|http2|quic|Alt-Svc|Strict-Transport|return 301/);
    const [own = []] = serversOf(conf).slice(1);
    for (const [path, proxied] of [
        ["/_matrix/client/versions", true],
        ["/_synapse/client/x", true],
        ["/_synapse/admin/v1/users", false],
        ["/", false],
    ] as const) {
        const location = locationFor(own, path);
        assert.equal(here(location?.block ?? [], "proxy_pass").length > 0, proxied, path);
    }
    assert.ok(locationFor(own, "/.well-known/matrix/server"));
});

test("Synapse is told the port that clients connect to", () => {
    for (const { block } of some(proxying(publicServer(parsed({ httpsPort: 8443 }))))) {
        assert.deepEqual(headersOf(block, "proxy_set_header").Host, ["matrix.example.org:8443"]);
    }
});

test("uploads may be as large as Synapse allows, in every location", () => {
    for (const maxUploadSize of ["50M", "512K"]) {
        const conf = parsed({ maxUploadSize });
        const limit = only(conf, "client_max_body_size");
        assert.deepEqual(limit.args, [maxUploadSize]);
        assert.ok(here(publicServer(conf), "client_max_body_size").includes(limit));
    }
});

test("a larger upload is refused as Matrix clients understand it", () => {
    const server = publicServer(parsed());
    // An error_page in a location replaces the ones outside it, so each place that has one has this one too.
    const places = [server, ...locationsOf(server).map(({ block }) => block)];
    const withPages = places.filter((block) => here(block, "error_page").length > 0);
    assert.equal(withPages.length, 4);
    for (const block of withPages) {
        assert.ok(here(block, "error_page").some(({ args }) => args.join(" ") === "413 @too_large"));
    }
    const tooLarge = locationsOf(server).find(({ match }) => match[0] === "@too_large");
    const [status, body = ""] = only(tooLarge?.block ?? [], "return").args;
    assert.equal(status, "413");
    assert.deepEqual(JSON.parse(body), {
        errcode: "M_TOO_LARGE",
        error: "The upload is larger than this server allows (50M)",
    });
});

/** The location that nginx takes for a path that it has resolved, as its documentation tells it. */
function locationFor(server: readonly Directive[], path: string) {
    const locations = locationsOf(server);
    return (
        locations.find(({ match }) => match[0] === "=" && match[1] === path) ??
        locations.find(({ match }) => match[0] === "~" && new RegExp(match[1] ?? "").test(path)) ??
        locations.find(({ match }) => match.length === 1 && match[0] === "/")
    );
}

for (const [path, proxied] of [
    ["/_matrix", true],
    ["/_matrix/client/versions", true],
    ["/_matrix/federation/v1/version", true],
    ["/_matrix/media/v3/upload", true],
    ["/_matrix/client/v1/media/download/a/b", true],
    ["/_synapse/client", true],
    ["/_synapse/client/pick_username", true],
    ["/_synapse/admin/v1/users", false],
    ["/_synapse/metrics", false],
    ["/_synapse/replication", false],
    ["/_synapse", false],
    ["/_synapse/clients", false],
    ["/_matrixx", false],
    ["/x/_matrix/client", false],
    ["/health", false],
    ["/metrics", false],
    ["/", false],
    ["/.well-known/matrix/client", false],
    ["/.well-known/matrix/support", false],
] as const) {
    test(`${path} is ${proxied ? "passed on to Synapse" : "not passed on"}`, () => {
        const location = locationFor(publicServer(parsed()), path);
        assert.ok(location);
        assert.equal(here(location.block, "proxy_pass").length > 0, proxied);
        if (!proxied) assert.equal(here(location.block, "return").length, 1);
    });
}

test("a request is received whole before Synapse sees it, so that it can be sent again", () => {
    assert.deepEqual(everywhere(parsed(), "proxy_request_buffering"), []);
    assert.deepEqual(only(parsed(), "client_body_temp_path").args, ["/buffer/client_temp"]);
});

test("Synapse's address is asked for again and again, and Synapse never taken for dead", () => {
    for (const holdSeconds of [0, 30]) {
        const conf = parsed({ holdSeconds });
        const upstream = only(conf, "upstream").block ?? [];
        assert.deepEqual(only(upstream, "server").args, ["synapse:8008", "resolve", "max_fails=0"]);
        // Without a zone, `resolve` is refused.
        assert.equal(only(upstream, "zone").args[0], "synapse");
        assert.deepEqual(only(conf, "resolver").args, ["127.0.0.11", "valid=1s", "ipv6=off"]);
    }
});

test("a slow Synapse is waited for, and nothing is sent to it again by nginx itself", () => {
    for (const holdSeconds of [0, 30]) {
        const conf = parsed({ holdSeconds });
        assert.deepEqual(everywhere(conf, "proxy_connect_timeout"), []);
        for (const { block } of some(proxying(publicServer(conf)))) {
            assert.deepEqual(only(block, "proxy_next_upstream").args, ["off"]);
            for (const { args } of here(block, "error_page")) assert.ok(!args.includes("504"));
        }
    }
});

test("every location that passes on holds requests while Synapse is away", () => {
    const locations = proxying(publicServer(parsed()));
    assert.equal(locations.length, 2);
    for (const { block } of locations) {
        assert.ok(here(block, "error_page").some(({ args }) => args.join(" ") === "502 = @hold"));
        assert.deepEqual(only(block, "recursive_error_pages").args, ["on"]);
    }
    assert.deepEqual(
        everywhere(parsed({ holdSeconds: 7 }), "js_var").map(({ args }) => args),
        [
            ["$hold_seconds", "7"],
            ["$hold_probe", "http://synapse:8008/health"],
            ["$hold_announcement", ANNOUNCEMENT.file],
            ["$hold_deadline"],
            ["$hold_tries"],
        ],
    );
});

test("no more is held than nginx has memory for", () => {
    const conf = parsed({ memory: 64 });
    assert.deepEqual(only(conf, "limit_conn_zone").args, ["held", "zone=held:32k"]);
    const hold = locationsOf(publicServer(conf)).find(({ match }) => match[0] === "@hold");
    assert.deepEqual(only(hold?.block ?? [], "limit_conn").args, ["held", "256"]);
    assert.ok(here(hold?.block ?? [], "error_page").some(({ args }) => args.join(" ") === "503 @full"));
});

test("while Synapse announces a restart, what is new waits before anything of it is sent", () => {
    const [location, again] = proxying(publicServer(parsed()));
    const announced = here(location?.block ?? [], "if").find(({ args }) => args[0] === "(-f");
    assert.deepEqual(announced?.args, ["(-f", `${ANNOUNCEMENT.file})`]);
    assert.deepEqual(announced?.block, [{ name: "return", args: ["502"] }]);
    // What has waited is let through although the file may still be there.
    assert.deepEqual(everywhere(again?.block ?? [], "if"), []);
});

test("with no seconds to hold, nginx needs no njs and answers for itself", () => {
    const { text } = nginxConf({ ...ARGS, holdSeconds: 0 });
    assert.doesNotMatch(text, /js_|load_module|@hold|@again|announce/);
});

test("another hold script is another configuration", () => {
    const { digest } = nginxConf(ARGS);
    assert.match(digest, /^[0-9a-f]{12}$/);
    assert.notEqual(nginxConf({ ...ARGS, holdScript: "other" }).digest, digest);
    assert.notEqual(nginxConf({ ...ARGS, maxUploadSize: "1M" }).digest, digest);
    assert.deepEqual(nginxConf(ARGS).text.match(/[0-9a-f]{12}/g), [digest]);
});

test("nginx tells its health port, and nobody else, which configuration it has", () => {
    const { text, digest } = nginxConf(ARGS);
    const [health, ...others] = serversOf(parseNginx(text));
    assert.deepEqual(here(health ?? [], "listen")[0]?.args, ["127.0.0.1:8081"]);
    const location = locationsOf(health ?? []).find(({ match }) => match[1] === "/configuration");
    assert.deepEqual(only(location?.block ?? [], "return").args, ["200", digest]);
    assert.ok(!JSON.stringify(others).includes(digest));
});

/** Whether the `$forwarded` map lets a request through: its regular expressions, first match first. */
function isForwarded(directives: readonly Directive[], requestUri: string): boolean {
    const map = everywhere(directives, "map").find(({ args }) => args[1] === "$forwarded");
    assert.deepEqual(map?.args, ["$request_uri", "$forwarded"]);
    const entries = (map?.block ?? []).map(({ name, args }) => [name, args[0]] as const);
    const expressions = entries.filter(([name]) => name !== "default");
    for (const [name] of some(expressions)) assert.match(name, /^~[^*]/);
    const match = expressions.find(([name]) => new RegExp(name.slice(1)).test(requestUri));
    return (match ?? entries.find(([name]) => name === "default"))?.[1] === "1";
}

for (const [requestUri, forwarded] of [
    ["/_matrix", true],
    ["/_matrix/", true],
    ["/_matrix?x", true],
    ["/_matrix/client/versions", true],
    ["/_matrix/client/v3/rooms/%21a%3Ab/state", true],
    ["/_matrix/client/v3/rooms/%2F..%2F/state", true],
    ["/_matrix/client/v3/rooms/a%2Fb/state", true],
    ["/_matrix/client/v3/profile/@a.b:c.d", true],
    ["/_matrix/client/v3/x/..y/.z/a..", true],
    ["/_matrix/client/v3/sync?next=/../&a=/./b/..", true],
    ["/_synapse/client/pick_username?x=/_synapse/admin", true],
    ["/_synapse/admin", false],
    ["/_synapse/admin/v1/users?x=/_matrix/", false],
    ["/_synapse/clients", false],
    ["/_matrixx", false],
    ["/", false],
    ["/?/_matrix/client", false],
    ["//_matrix/client/versions", false],
    ["/x/../_matrix/client", false],
    ["/_matrix/../_synapse/admin/v1/users", false],
    ["/_matrix/./client", false],
    ["/_matrix/.", false],
    ["/_matrix/..", false],
    ["/_matrix/..?x", false],
    ["/_synapse/client/../admin/v1/users", false],
    ["/_synapse/client/..?x=/y", false],
    ["/%5fmatrix/client", false],
    ["/_synapse%2Fadmin", false],
    ["/_synapse%2Fclient/../admin", false],
    ["/_synapse/%61dmin/v1/users", false],
] as const) {
    test(`${requestUri} as it was sent is ${forwarded ? "fit to be passed on" : "refused"}`, () => {
        assert.equal(isForwarded(parsed(), requestUri), forwarded);
    });
}

test("a request that is passed on was fit as it was sent", () => {
    // The other location that passes on is internal: only what has come through this one reaches it.
    const [location, again] = proxying(publicServer(parsed()));
    const [condition] = here(location?.block ?? [], "if");
    assert.deepEqual([condition?.name, condition?.args], ["if", ["($forwarded", "=", "0)"]]);
    assert.deepEqual(condition?.block, [{ name: "return", args: ["404"] }]);
    assert.deepEqual(again?.match, ["@again"]);
    assert.equal(here(again?.block ?? [], "internal").length, 1);
});

test("only the server with TLS passes anything on", () => {
    const passing = serversOf(parsed()).filter((block) => proxying(block).length > 0);
    assert.deepEqual(passing, [publicServer(parsed())]);
});

// --- Ports and TLS ------------------------------------------------------------------------------------------------

const listens = (directives: readonly Directive[]) =>
    serversOf(directives).map((block) => here(block, "listen").map(({ args }) => args.join(" ")));

test("nginx listens on one port for each use, and for its health check inside the container alone", () => {
    assert.deepEqual(listens(parsed()), [
        ["127.0.0.1:8081"],
        ["80 default_server"],
        ["443 ssl default_server", "8448 ssl default_server"],
    ]);
});

test("nginx listens on a port of its own for each address that is published", () => {
    const listen = { http: [80, 10080], https: [443, 10443], federation: [8448, 18448] };
    assert.deepEqual(listens(parsed({ listen })).slice(1), [
        ["80 default_server", "10080 default_server"],
        ["443", "10443", "8448", "18448"].map((port) => `${port} ssl default_server`),
    ]);
});

test("plain HTTP redirects to HTTPS and does nothing else", () => {
    for (const [httpsPort, target] of [
        [443, "https://matrix.example.org$request_uri"],
        [8443, "https://matrix.example.org:8443$request_uri"],
        [undefined, "https://matrix.example.org$request_uri"],
    ] as const) {
        const plain = serversOf(parsed({ httpsPort }))[1] ?? [];
        assert.deepEqual(
            everywhere(plain, "return").map(({ args }) => args),
            [["301", target]],
        );
        assert.deepEqual(
            locationsOf(plain).map(({ match }) => match),
            [["/"]],
        );
    }
});

test("HTTP/3 is spoken and announced on the published port, when it is asked for", () => {
    const server = publicServer(parsed({ http3: true, httpsPort: 8443 }));
    const quic = here(server, "listen").filter(({ args }) => args.includes("quic"));
    assert.deepEqual(
        quic.map(({ args }) => args[0]),
        ["443"],
    );
    assert.deepEqual(headersOf(server)["Alt-Svc"], [`h3=":8443"; ma=86400`, "always"]);
    assert.doesNotMatch(nginxConf(ARGS).text, /quic|Alt-Svc/);
});

test("HTTP/2 is spoken", () => {
    assert.deepEqual(only(parsed(), "http2").args, ["on"]);
});

test("the intermediate profile is TLS 1.2 and 1.3 with forward secrecy and authenticated encryption", () => {
    const conf = parsed({ profile: "intermediate" });
    assert.deepEqual(only(conf, "ssl_protocols").args, ["TLSv1.2", "TLSv1.3"]);
    const ciphers = only(conf, "ssl_ciphers").args[0]?.split(":") ?? [];
    assert.equal(ciphers.length, 6);
    for (const cipher of ciphers) assert.match(cipher, /^ECDHE-(ECDSA|RSA)-(AES\d+-GCM|CHACHA20-POLY1305)/);
});

test("the modern profile is TLS 1.3 alone", () => {
    const conf = parsed({ profile: "modern" });
    assert.deepEqual(only(conf, "ssl_protocols").args, ["TLSv1.3"]);
    assert.deepEqual(everywhere(conf, "ssl_ciphers"), []);
});

test("sessions keep forward secrecy", () => {
    assert.deepEqual(only(parsed(), "ssl_session_tickets").args, ["off"]);
});

test("the certificate is read through the stable path", () => {
    const current = "/etc/nginx/certificates/current";
    assert.deepEqual(only(parsed(), "ssl_certificate").args, [`${current}/fullchain.pem`]);
    assert.deepEqual(only(parsed(), "ssl_certificate_key").args, [`${current}/privkey.pem`]);
});

test("browsers are told to stay with HTTPS in every answer, when it is asked for", () => {
    const server = publicServer(parsed({ hsts: true }));
    assert.deepEqual(headersOf(server)["Strict-Transport-Security"], ["max-age=63072000", "always"]);
    // A header in a location would drop those outside it.
    for (const { block } of some(locationsOf(server))) assert.deepEqual(everywhere(block, "add_header"), []);
    assert.doesNotMatch(nginxConf({ ...ARGS, hsts: false }).text, /Strict-Transport-Security/);
});

/** What a map makes of a value: its exact keys, then its regular expressions, then its default. */
function mapped(directives: readonly Directive[], variable: string, value: string): string {
    const map = everywhere(directives, "map").find(({ args }) => args[1] === variable);
    const entries = (map?.block ?? []).map(({ name, args }) => [name, args[0] ?? ""] as const);
    const match =
        entries.find(([name]) => name === value) ??
        entries.find(([name]) => name.startsWith("~") && new RegExp(name.slice(1)).test(value)) ??
        entries.find(([name]) => name === "default");
    return match?.[1] ?? "";
}

test("web pages may read what nginx itself answers to Matrix clients, and nginx adds nothing to what Synapse answers", () => {
    const conf = parsed();
    assert.deepEqual(headersOf(publicServer(conf))["Access-Control-Allow-Origin"], [
        "$allow_origin",
        "always",
    ]);
    for (const [situation, origin] of [
        [" 200 /.well-known/matrix/client", "*"],
        [" 200 /.well-known/matrix/server", "*"],
        [" 413 /_matrix/media/v3/upload", "*"],
        ["200 200 /_matrix/client/versions", ""],
        ["413 413 /_matrix/media/v3/upload", ""],
        [" 404 /", ""],
        ["200 200 /_matrix/x/.well-known/matrix/client", ""],
    ] as const) {
        assert.equal(mapped(conf, "$allow_origin", situation), origin, situation);
    }
    assert.equal(mapped(conf, "$allow_methods", "*"), "GET, HEAD, OPTIONS");
    assert.equal(mapped(conf, "$allow_methods", ""), "");
});

// --- .well-known --------------------------------------------------------------------------------------------------

/** What a .well-known location answers, with `$client_authority` as a client would see it. */
function wellKnown(
    directives: readonly Directive[],
    which: "client" | "server" | "support",
    httpHost = "",
): unknown {
    const location = locationFor(publicServer(directives), `/.well-known/matrix/${which}`);
    const block = location?.block ?? [];
    const [status, body = ""] = only(block, "return").args;
    assert.equal(status, "200");
    assert.deepEqual(only(block, "default_type").args, ["application/json"]);
    assert.equal(mapped(directives, "$allow_origin", ` 200 /.well-known/matrix/${which}`), "*");
    return JSON.parse(body.replace("$client_authority", clientAuthority(directives, httpHost)));
}

/** The `$client_authority` map's answer to a Host header. */
function clientAuthority(directives: readonly Directive[], httpHost: string): string {
    const map = everywhere(directives, "map").find(({ args }) => args[1] === "$client_authority");
    assert.equal(map?.args[0], "$http_host");
    const entries = (map?.block ?? []).map(({ name, args: [value = ""] }) => [name, value] as const);
    const match = entries.find(([name]) => name.startsWith("~") && new RegExp(name.slice(1)).test(httpHost));
    const [, value = ""] = match ?? entries.find(([name]) => name === "default") ?? [];
    return value.replace("$http_host", httpHost);
}

for (const [publicHost, httpsPort, federationPort, client, server] of [
    ["matrix.example.org", 443, 8448, "https://matrix.example.org", "matrix.example.org:8448"],
    ["matrix.example.org", 8443, 443, "https://matrix.example.org:8443", "matrix.example.org:443"],
    ["[2001:db8::1]", 8443, 8449, "https://[2001:db8::1]:8443", "[2001:db8::1]:8449"],
] as const) {
    test(`.well-known of ${publicHost} leads to ${client} and ${server}`, () => {
        const conf = parsed({ publicHost, httpsPort, federationPort });
        // Whatever a client claims to have asked.
        for (const host of [publicHost, "evil.example", "matrix.example.org:1"]) {
            assert.deepEqual(wellKnown(conf, "client", host), { "m.homeserver": { base_url: client } });
        }
        assert.deepEqual(wellKnown(conf, "server"), { "m.server": server });
    });
}

test("federation on the clients' port is what .well-known says, and has no other", () => {
    const conf = parsed({
        federation: "with clients",
        httpsPort: 9443,
        listen: { http: [80], https: [443], federation: [] },
    });
    assert.deepEqual(wellKnown(conf, "server"), { "m.server": "matrix.example.org:9443" });
    const ports = here(publicServer(conf), "listen").map(({ args: [port] }) => port);
    assert.deepEqual(ports, ["443"]);
    const federation = locationFor(publicServer(conf), "/_matrix/federation/v1/version");
    assert.equal(here(federation?.block ?? [], "proxy_pass").length, 1);
    const picked = parsed({ federation: "with clients", httpsPort: undefined });
    const map = everywhere(picked, "map").find(({ args }) => args[1] === "$server_authority");
    assert.deepEqual(map?.block, [
        { name: "default", args: ["matrix.example.org:443"] },
        { name: "~^matrix\\.example\\.org:[0-9]+$", args: ["$http_host"] },
    ]);
    assert.match(
        nginxConf({ ...ARGS, federation: "with clients", httpsPort: undefined }).text,
        /"m\.server":"\$server_authority"/,
    );
});

test("without federation nothing of it is passed on, and .well-known leads no server here", () => {
    const server = publicServer(parsed({ federation: "off" }));
    for (const path of [
        "/_matrix/federation/v1/version",
        "/_matrix/federation",
        "/_matrix/key/v2/server",
        "/.well-known/matrix/server",
    ]) {
        const location = locationFor(server, path);
        assert.deepEqual(
            location?.block.map(({ name, args }) => [name, ...args]),
            [["return", "404"]],
            path,
        );
    }
    for (const path of ["/_matrix/client/v3/sync", "/_matrix/federations", "/_matrix/keys"]) {
        assert.ok(here(locationFor(server, path)?.block ?? [], "proxy_pass").length > 0, path);
    }
});

test("what is added to .well-known is served as it is, whatever nginx makes of its signs", () => {
    const odd = { "it's": ["$host $" + "{x}", "a\\b", 'c"d', "e\nf;{}", "ü"], $y: null };
    const conf = parsed({ wellKnown: { client: odd, server: odd, support: odd } });
    assert.deepEqual(wellKnown(conf, "client"), {
        "m.homeserver": { base_url: "https://matrix.example.org" },
        ...odd,
    });
    assert.deepEqual(wellKnown(conf, "server"), { "m.server": "matrix.example.org:8448", ...odd });
    assert.deepEqual(wellKnown(conf, "support"), odd);
    assert.equal(
        locationFor(publicServer(parsed()), "/.well-known/matrix/support")?.block[0]?.name,
        "return",
    );
});

test("where Docker picked the port, .well-known answers with the one that the client came by", () => {
    for (const publicHost of ["matrix.example.org", "[2001:db8::1]"]) {
        const conf = parsed({ publicHost, httpsPort: undefined });
        for (const [host, authority] of [
            [`${publicHost}:32768`, `${publicHost}:32768`],
            [publicHost, publicHost],
            ["evil.example:443", publicHost],
            [`x${publicHost}:1`, publicHost],
            [`${publicHost}:1x`, publicHost],
            [`${publicHost.replaceAll(".", "x").replaceAll(":", "x")}x:1`, publicHost],
        ] as const) {
            assert.deepEqual(wellKnown(conf, "client", host), {
                "m.homeserver": { base_url: `https://${authority}` },
            });
        }
    }
});

// --- Logs ---------------------------------------------------------------------------------------------------------

test("no log repeats a query, in which access tokens can stand", () => {
    const conf = parsed();
    const format = only(conf, "log_format").args.join("");
    for (const variable of some(format.match(/\$\w+/g) ?? [])) {
        assert.ok(
            [
                "$remote_addr",
                "$time_iso8601",
                "$request_method",
                "$request_path",
                "$server_protocol",
                "$status",
                "$body_bytes_sent",
                "$request_time",
            ].includes(variable),
            variable,
        );
    }
    for (const { args } of some(everywhere(conf, "access_log"))) {
        assert.ok(args[0] === "off" || args[1] === "pathonly", args.join(" "));
    }
    // nginx's messages from "error" on quote whole requests.
    assert.deepEqual(only(conf, "error_log").args, ["/dev/stderr", "crit"]);
});

test("of a request, the log has the path alone", () => {
    const map = everywhere(parsed(), "map").find(({ args }) => args[1] === "$request_path");
    assert.deepEqual(map?.args, ["$request_uri", "$request_path"]);
    const [, path] = map?.block ?? [];
    assert.deepEqual(path?.args, ["$path"]);
    const expression = new RegExp(path?.name.slice(1) ?? "");
    for (const uri of ["/_matrix/x?access_token=a", "/_matrix/x", "/?a?b"]) {
        assert.equal(expression.exec(uri)?.groups?.path, uri.split("?")[0]);
    }
});

test("the reader of nginx.conf in these tests refuses what nginx would refuse", () => {
    for (const text of ["a", "a {", "a { b; ", "}", "a { b }", ";", 'a "b', "{ a; }"]) {
        assert.throws(() => parseNginx(text), SyntaxError, text);
    }
    assert.deepEqual(parseNginx(`a "b;{\\"" 'c'; # d;\ne f { g; }`), [
        { name: "a", args: ['b;{"', "c"] },
        { name: "e", args: ["f"], block: [{ name: "g", args: [] }] },
    ]);
});
