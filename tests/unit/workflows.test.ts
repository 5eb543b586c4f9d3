import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";

/** The workflows keep to what their secrets need. */

interface Step {
    readonly uses?: string;
}

interface Job {
    readonly if?: string;
    readonly uses?: string;
    readonly environment?: string | { readonly name?: string };
    readonly steps?: readonly Step[];
}

interface Workflow {
    readonly on: unknown;
    readonly permissions?: unknown;
    readonly jobs: Readonly<Record<string, Job>>;
}

const project = new URL("../../", import.meta.url);
const read = (file: string) => readFileSync(new URL(file, project), "utf8");

const WORKFLOWS = ".github/workflows/";
const workflows = readdirSync(new URL(WORKFLOWS, project)).map((file) => {
    const text = read(WORKFLOWS + file);
    return { file, text, workflow: load(text) as Workflow };
});

/** Pull requests of this very repository: not those of forks, which bring code of anybody. */
const NOT_A_FORK = "github.event.pull_request.head.repo.full_name == github.repository";

test("there are workflows to check, to preview and to deploy", () => {
    assert.deepEqual(workflows.map(({ file }) => file).sort(), ["check.yml", "deploy.yml", "preview.yml"]);
});

for (const { file, text, workflow } of workflows) {
    describe(`${WORKFLOWS}${file}`, () => {
        const jobs = Object.entries(workflow.jobs);

        test("pins every action to a commit or a version", () => {
            const used = jobs.flatMap(([, job]) => [job.uses, ...(job.steps ?? []).map(({ uses }) => uses)]);
            const actions = used.filter((action): action is string => action !== undefined);
            assert.ok(actions.length > 0);
            assert.deepEqual(
                actions.filter((action) => !isPinned(action)),
                [],
            );
        });

        test("never runs a pull request's code with the secrets of pull_request_target", () => {
            assert.doesNotMatch(text, /pull_request_target|workflow_run/);
        });

        test("may write nothing unless a job says so", () => {
            assert.deepEqual(workflow.permissions, { contents: "read" });
        });

        test("uses secrets only in a job that waits for whoever guards its environment", () => {
            assert.ok(!usesSecrets({ ...workflow, jobs: {} }), "secrets for every job");
            const open = jobs.filter(([, job]) => usesSecrets(job) && environmentOf(job) === "");
            assert.deepEqual(
                open.map(([name]) => name),
                [],
            );
        });

        if (eventsOf(workflow).includes("pull_request")) {
            test("keeps its secrets from forks", () => {
                const open = jobs.filter(([, job]) => usesSecrets(job) && !excludesForks(job.if));
                assert.deepEqual(
                    open.map(([name]) => name),
                    [],
                );
            });
        }
    });
}

test("some job does use secrets on a pull request, so that the test above looks at something", () => {
    const onPullRequest = workflows.filter(({ workflow }) => eventsOf(workflow).includes("pull_request"));
    assert.ok(onPullRequest.some(({ workflow }) => Object.values(workflow.jobs).some(usesSecrets)));
});

test("docs/ci.md lists every setting that the workflows read, and no other", () => {
    const used = workflows.flatMap(({ text }) =>
        [...text.matchAll(/\b(secret|var)s\.(\w+)/g)].map(([, kind = "", name = ""]) => `${name}: ${kind}`),
    );
    // A secret of the repository would be there for the workflows of every branch.
    const kinds = "(secret) of both environments|(var)iable of the repository";
    const rows = read("docs/ci.md").matchAll(new RegExp(`^\\| \`([A-Z_]+)\` +\\| (?:${kinds}) `, "gm"));
    const listed = [...rows].map(([, name = "", ...kind]) => `${name}: ${kind.join("")}`);
    assert.deepEqual(listed.sort(), [...new Set(used)].sort());
});

test("check.yml installs every package that setup.sh asks for", () => {
    const [, tools = ""] = /for tool in (.+); do/.exec(read("scripts/setup.sh")) ?? [];
    const [, others = ""] = /import ensurepip.*missing (\S+)"/.exec(read("scripts/setup.sh")) ?? [];
    const wanted = [...tools.split(" ").map((tool) => tool.split(":")[1] ?? ""), others];
    const [, installed = ""] =
        /apt-get install .*?((?: [a-z][\w.-]+)+)$/m.exec(read(`${WORKFLOWS}check.yml`)) ?? [];
    assert.ok(wanted.length >= 6, wanted.join(", "));
    // A runner has it, under one name or another, and apt's package would be a snap.
    const packages = wanted.filter((name) => name !== "chromium");
    assert.deepEqual(
        packages.filter((name) => !installed.split(" ").includes(name)),
        [],
    );
});

test("actionlint finds nothing in the workflows, nor shellcheck in their scripts", (t) => {
    const own = fileURLToPath(new URL(".tools/actionlint/actionlint", project));
    const program = existsSync(own) ? own : "actionlint";
    const { error, status, stdout } = spawnSync(program, { cwd: fileURLToPath(project), encoding: "utf8" });
    if (error !== undefined) {
        t.skip("WORKFLOWS NOT CHECKED: actionlint is missing (scripts/setup.sh --tests installs it with Go)");
        return;
    }
    assert.equal(status, 0, stdout);
});

test("a condition that also lets forks through is no protection", () => {
    assert.ok(excludesForks(NOT_A_FORK));
    assert.ok(excludesForks(`\${{ ${NOT_A_FORK} && vars.X != '' }}`));
    assert.ok(!excludesForks(`always() || ${NOT_A_FORK}`));
    assert.ok(!excludesForks(`!(${NOT_A_FORK})`));
    assert.ok(!excludesForks(undefined));
});

function eventsOf({ on }: Workflow): string[] {
    if (typeof on === "string") return [on];
    return Array.isArray(on) ? on.map(String) : Object.keys(on as object);
}

function environmentOf({ environment }: Job): string {
    return (typeof environment === "string" ? environment : environment?.name) ?? "";
}

function isPinned(action: string): boolean {
    return action.startsWith("./") || /@(?:[0-9a-f]{40}|v\d+(?:\.\d+)*)$/.test(action);
}

function usesSecrets(part: Job | Workflow): boolean {
    return /\bsecrets\b/.test(JSON.stringify(part));
}

/** Whether the condition is a conjunction with {@link NOT_A_FORK} in it. */
function excludesForks(condition: string | undefined): boolean {
    const bare = condition?.replace(/^\$\{\{(.*)\}\}$/, "$1") ?? "";
    return bare.split("&&").some((part) => part.trim() === NOT_A_FORK) && !bare.includes("||");
}
