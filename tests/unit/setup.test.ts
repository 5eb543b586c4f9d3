import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const project = fileURLToPath(new URL("../..", import.meta.url));

test("shellcheck finds nothing in any shell script", (t) => {
    const scripts = readdirSync(project, { recursive: true, encoding: "utf8" }).filter(
        (path) => path.endsWith(".sh") && !/(^|\/)(node_modules|\.git)\//.test(path),
    );
    assert.ok(scripts.includes("scripts/setup.sh"));
    const { error, status, stdout } = spawnSync("shellcheck", scripts, { cwd: project, encoding: "utf8" });
    if (error !== undefined) {
        t.skip("SHELL SCRIPTS NOT CHECKED: shellcheck is missing (scripts/setup.sh --tests installs it)");
        return;
    }
    assert.equal(status, 0, stdout);
});

test("setup.sh wants the Node.js that package.json wants", () => {
    const { engines } = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as {
        engines: { node: string };
    };
    const wanted = /wanted="(.+)"/.exec(readFileSync(join(project, "scripts/setup.sh"), "utf8"))?.[1];
    assert.equal(`>=${wanted ?? ""}`, engines.node);
});

test("setup.sh refuses an option it does not know", () => {
    const { status, stderr } = spawnSync("sh", ["scripts/setup.sh", "--test"], {
        cwd: project,
        encoding: "utf8",
    });
    assert.equal(status, 2);
    assert.match(stderr, /unknown option --test .*--tests/);
});
