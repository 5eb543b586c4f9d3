import assert from "node:assert/strict";
import { test } from "node:test";
import { everywhere } from "../../support/nginx.ts";
import { only, parsed } from "../../support/nginx-conf.ts";
import { some } from "../../support/some.ts";

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
