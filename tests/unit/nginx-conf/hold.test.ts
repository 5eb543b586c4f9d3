import assert from "node:assert/strict";
import { test } from "node:test";
import { nginxConf } from "../../../components/nginx/conf.ts";
import { ANNOUNCEMENT } from "../../../components/synapse/announcement.ts";
import { everywhere, here } from "../../support/nginx.ts";
import { ARGS, locationsOf, only, parsed, proxying, publicServer } from "../../support/nginx-conf.ts";

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
            ["$hold_maintenance", ANNOUNCEMENT.maintenance],
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
