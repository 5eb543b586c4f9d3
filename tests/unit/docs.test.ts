import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { z } from "zod";
import { settingsSchema } from "../../settings/schema.ts";
import { some } from "../support/some.ts";

/** What the documentation says is there. */

interface Schema {
    readonly properties?: Readonly<Record<string, Schema>>;
    readonly oneOf?: readonly Schema[];
    readonly const?: string;
}

const project = new URL("../../", import.meta.url);
const read = (file: string) => readFileSync(new URL(file, project), "utf8");

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
            const paths = some(
                text.matchAll(/`((?:components|engine|images|commands|scripts|tests)\/[\w./-]*)`/g),
            );
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
    // One is permanent, and these are about the stack as a whole: the README tells of them elsewhere.
    const others = ["serverName", "ephemeral", "name", "dockerHost", "takeOver"];
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
