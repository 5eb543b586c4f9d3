import assert from "node:assert/strict";
import { test } from "node:test";
import { nginxConf } from "../../../components/nginx/conf.ts";
import { everywhere, here, parseNginx } from "../../support/nginx.ts";
import {
    ARGS,
    headersOf,
    listens,
    locationFor,
    locationsOf,
    mapped,
    only,
    parsed,
    proxying,
    publicServer,
    serversOf,
} from "../../support/nginx-conf.ts";
import { some } from "../../support/some.ts";

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

test("a request is received whole before Synapse sees it, so that it can be sent again", () => {
    assert.deepEqual(everywhere(parsed(), "proxy_request_buffering"), []);
    assert.deepEqual(only(parsed(), "client_body_temp_path").args, ["/buffer/client_temp"]);
});

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
