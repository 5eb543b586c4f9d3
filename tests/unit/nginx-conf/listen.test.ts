import assert from "node:assert/strict";
import { test } from "node:test";
import { nginxConf } from "../../../components/nginx/conf.ts";
import { everywhere, here } from "../../support/nginx.ts";
import {
    ARGS,
    headersOf,
    listens,
    locationsOf,
    only,
    parsed,
    publicServer,
    serversOf,
} from "../../support/nginx-conf.ts";

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

test("port 80 alone serves answers to challenges, from the volume that certbot writes", () => {
    const listen = { http: [80, 10080], https: [443], federation: [8448] };
    const servers = everywhere(parsed({ acmeChallenges: true, listen }), "server").filter(
        ({ block }) => block,
    );
    const answering = servers.filter(({ block = [] }) =>
        here(block, "location").some(({ args }) => args.includes("/.well-known/acme-challenge/")),
    );
    assert.deepEqual(
        answering.map(({ block = [] }) => here(block, "listen").map(({ args }) => args[0])),
        [["80", "10080"]],
    );
    assert.deepEqual(
        everywhere(answering, "root").map(({ args }) => args),
        [["/etc/nginx/webroot"]],
    );
});

test("without ACME nothing but redirects is served on port 80", () => {
    assert.doesNotMatch(nginxConf({ ...ARGS, acmeChallenges: false }).text, /acme-challenge/);
});
