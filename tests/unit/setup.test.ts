import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
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

test("every npm command for people sets up what it runs with, and keeps standard output for its answer", () => {
    const { scripts } = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as {
        scripts: Record<string, string>;
    };
    const commands = Object.entries(scripts).filter(([, typed]) => /node commands\//.test(typed));
    assert.ok(commands.length > 5);
    for (const [name, typed] of commands) {
        // Three carry a program out, and need what that needs.
        const silent = ["start", "stop", "restore"].includes(name) ? "" : " --npm-only >&2";
        assert.ok(typed.startsWith(`sh scripts/setup.sh${silent} && node commands/`), name);
    }
});

/**
 * Runs setup.sh where the packages are installed already, and this is on the machine.
 *
 * @param own what the machine's Node.js says about TypeScript; an older one says "undefined".
 * @param ours likewise that among the packages; without it, it does not run here.
 */
function setUp(own: string, ours?: string) {
    const directory = mkdtempSync(join(tmpdir(), "setup-"));
    const script = (path: string, text: string) => {
        mkdirSync(dirname(join(directory, path)), { recursive: true });
        writeFileSync(join(directory, path), text, { mode: 0o755 });
    };
    const node = (says: string) => `#!/bin/sh\n[ "$1" = --version ] && echo v0.0.0-fake || echo ${says}\n`;
    script("scripts/setup.sh", readFileSync(join(project, "scripts/setup.sh"), "utf8"));
    script("package-lock.json", "{}");
    script("node_modules/.package-lock.json", "{}");
    script("bin/npm", "#!/bin/sh\nexit 1\n");
    script("bin/node", node(own));
    script("node_modules/.bin/node", ours === undefined ? "#!/nowhere/ld-linux.so\n" : node(ours));
    const { status, stderr } = spawnSync("sh", ["scripts/setup.sh", "--npm-only"], {
        cwd: directory,
        encoding: "utf8",
        env: { PATH: `${directory}/bin:/usr/bin:/bin` },
    });
    const kept = existsSync(join(directory, "node_modules/.bin/node"));
    rmSync(directory, { recursive: true });
    return { status, stderr, kept };
}

test("an old Node.js is enough for npm, which brings the one that is used", () => {
    assert.deepEqual(setUp("undefined", "strip"), { status: 0, stderr: "", kept: true });
});

test("where that one does not run, the machine's own is used if it is new enough", () => {
    assert.deepEqual(setUp("strip"), { status: 0, stderr: "", kept: false });
    const { status, stderr } = setUp("undefined");
    assert.equal(status, 1);
    assert.match(stderr, /^setup: Node\.js 22\.18 or newer is needed, this is v0\.0\.0-fake: https/);
});

test("setup.sh refuses an option it does not know", () => {
    const { status, stderr } = spawnSync("sh", ["scripts/setup.sh", "--test"], {
        cwd: project,
        encoding: "utf8",
    });
    assert.equal(status, 2);
    assert.match(stderr, /unknown option --test .*--tests/);
});
