import assert from "node:assert/strict";
import { test } from "node:test";
import { type Directive, everywhere, here } from "../../support/nginx.ts";
import { locationFor, parsed, proxying, publicServer, serversOf } from "../../support/nginx-conf.ts";
import { some } from "../../support/some.ts";

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

test("the bare address leads to Synapse's own page, by the way that it was asked", () => {
    const location = locationFor(publicServer(parsed()), "/");
    assert.deepEqual(location?.match, ["=", "/"]);
    assert.deepEqual(here(location.block, "return")[0]?.args, ["302", "/_matrix/static/"]);
    assert.deepEqual(here(location.block, "absolute_redirect")[0]?.args, ["off"]);
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
