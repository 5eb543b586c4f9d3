import assert from "node:assert/strict";
import { test } from "node:test";
import { nginxConf } from "../../../components/nginx/conf.ts";
import { type Directive, everywhere, here } from "../../support/nginx.ts";
import { ARGS, locationFor, mapped, only, parsed, publicServer } from "../../support/nginx-conf.ts";

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
