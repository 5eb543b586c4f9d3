import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { images } from "../support/homeserver.ts";

/** `pulumi new` makes a project of one's own from this repository. */

const ROOT = join(import.meta.dirname, "../..");
const directory = mkdtempSync(join(tmpdir(), "new-"));
const [template, project, state] = ["template", "project", "state"].map((name) => join(directory, name)) as [
    string,
    string,
    string,
];
after(() => rmSync(directory, { recursive: true }));

function pulumi(cwd: string, ...args: readonly string[]): string {
    const environment = {
        PULUMI_BACKEND_URL: `file://${state}`,
        PULUMI_CONFIG_PASSPHRASE: "a passphrase for tests",
        PULUMI_SKIP_UPDATE_CHECK: "true",
    };
    const { status, stdout, stderr } = spawnSync("pulumi", [...args, "--non-interactive"], {
        cwd,
        env: { ...process.env, ...environment },
        encoding: "utf8",
    });
    assert.equal(status, 0, `pulumi ${args.join(" ")}:\n${stdout}${stderr}`);
    return stdout;
}

test("a project that was made from the repository previews a server with two settings", () => {
    // What somebody who clones it has: neither packages nor tools.
    const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
        cwd: ROOT,
        encoding: "utf8",
    });
    for (const file of listed.split("\0").filter((name) => name !== ""))
        cpSync(join(ROOT, file), join(template, file));
    for (const path of [project, state]) mkdirSync(path);

    // Without --generate-only it would install the packages of npm as well.
    pulumi(project, "new", template, "--generate-only", "--yes", "--force");
    symlinkSync(join(ROOT, "node_modules"), join(project, "node_modules"));
    pulumi(project, "stack", "init", "mine");
    pulumi(project, "config", "set", "serverName", "localhost");
    pulumi(project, "config", "set", "--path", "tls.mode", "local-ca");
    for (const [name, reference] of Object.entries(images))
        pulumi(project, "config", "set", "--path", `images.${name}`, reference);
    const preview = pulumi(project, "preview");
    assert.match(preview, /synapse:index:Homeserver +homeserver +create/);
    assert.match(preview, /\+ \d\d to create/);
});
