import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { load } from "js-yaml";
import { z } from "zod";
import { settingsSchema } from "../../settings-schema.ts";

/** What the documentation says is there, and the workflows keep to what their secrets need. */

interface Step {
    readonly uses?: string;
}

interface Job {
    readonly if?: string;
    readonly uses?: string;
    readonly steps?: readonly Step[];
}

interface Workflow {
    readonly on: unknown;
    readonly permissions?: unknown;
    readonly jobs: Readonly<Record<string, Job>>;
}

interface Schema {
    readonly properties?: Readonly<Record<string, Schema>>;
    readonly oneOf?: readonly Schema[];
    readonly const?: string;
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

for (const document of ["README.md", "CONTRIBUTING.md"]) {
    describe(document, () => {
        const text = read(document);

        test("names no npm script that package.json lacks", () => {
            const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
            const run = text.matchAll(/\bnpm run (?:--silent )?([a-z][a-z:-]*)/g);
            const short = text.matchAll(/\bnpm (start|stop|test)\b/g);
            const named = new Set([...run, ...short].map(([, script = ""]) => script));
            assert.ok(named.size > 2, `only ${[...named].join(", ")}`);
            assert.deepEqual(
                [...named].filter((script) => !(script in scripts)),
                [],
            );
        });

        test("leads to headings and files that are there", () => {
            const headings = new Set(
                [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading)),
            );
            const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
            const broken = targets.filter((target) => {
                if (target.startsWith("https://")) return false;
                if (target.startsWith("#")) return !headings.has(target.slice(1));
                return !existsSync(new URL(target, project));
            });
            assert.deepEqual(broken, []);
        });

        test("names no file of the project that is not there", () => {
            const paths = [...text.matchAll(/`((?:components|embedded|scripts|tests)\/[\w./-]*)`/g)];
            assert.deepEqual(
                paths.map(([, path = ""]) => path).filter((path) => !existsSync(new URL(path, project))),
                [],
            );
        });
    });
}

test("the README explains every stack output, and no other", () => {
    const exported = [...read("index.ts").matchAll(/^export const (\w+)/gm)].map(([, name = ""]) => name);
    const table = sectionOf(read("README.md"), "Outputs");
    const explained = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name = ""]) => name);
    assert.ok(exported.includes("clientUrl"));
    assert.deepEqual(explained.sort(), exported.sort());
});

test("the README says what each TLS mode is for, and names no other", () => {
    const explained = sectionOf(read("README.md"), "TLS modes").matchAll(/^- \*\*`([\w-]+)`\*\*/gm);
    const deployed = sectionOf(read("README.md"), "What it deploys").matchAll(/^\| `([\w-]+)` /gm);
    for (const named of [explained, deployed]) {
        assert.deepEqual([...named].map(([, mode = ""]) => mode).sort(), modes().sort());
    }
});

test("the README says what restarts on a change of any setting that can change", () => {
    const table = sectionOf(read("README.md"), "What restarts on which change");
    // One is permanent, and these three are about the stack as a whole: the README tells of them elsewhere.
    const others = ["serverName", "ephemeral", "name", "dockerHost"];
    const settings = Object.keys(settingsSchema.shape).filter((key) => !others.includes(key));
    assert.deepEqual(
        settings.filter((key) => !table.includes(`\`${key}`)),
        [],
    );
});

test("the plugins that the README installs are those that package.json pins", () => {
    const { dependencies } = JSON.parse(read("package.json")) as { dependencies: Record<string, string> };
    const installed = read("README.md").matchAll(/^pulumi plugin install resource (\w+) (\S+)$/gm);
    assert.deepEqual(Object.fromEntries([...installed].map(([, name, version]) => [name, version])), {
        docker: dependencies["@pulumi/docker"],
        command: dependencies["@pulumi/command"],
    });
});

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

        if (eventsOf(workflow).includes("pull_request")) {
            test("keeps its secrets from forks", () => {
                assert.ok(!usesSecrets({ ...workflow, jobs: {} }), "secrets for every job");
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

test("a condition that also lets forks through is no protection", () => {
    assert.ok(excludesForks(NOT_A_FORK));
    assert.ok(excludesForks(`\${{ ${NOT_A_FORK} && vars.X != '' }}`));
    assert.ok(!excludesForks(`always() || ${NOT_A_FORK}`));
    assert.ok(!excludesForks(`!(${NOT_A_FORK})`));
    assert.ok(!excludesForks(undefined));
});

function modes(): string[] {
    const { properties } = z.toJSONSchema(settingsSchema, { io: "input" }) as Schema;
    return (properties?.tls?.oneOf ?? []).map((variant) => variant.properties?.mode?.const ?? "");
}

/** From a heading to the next one of any level. */
function sectionOf(text: string, heading: string): string {
    const [, section] = text.split(new RegExp(`^#+ ${heading}$`, "m"));
    assert.ok(section, `there is no heading "${heading}"`);
    return section.split(/^#+ /m)[0] ?? "";
}

/** GitHub's own rule. */
function anchorOf(heading: string): string {
    return heading
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, "")
        .replaceAll(" ", "-");
}

function eventsOf({ on }: Workflow): string[] {
    if (typeof on === "string") return [on];
    return Array.isArray(on) ? on.map(String) : Object.keys(on as object);
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
