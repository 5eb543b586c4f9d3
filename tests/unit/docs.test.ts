import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { z } from "zod";
import { settingsSchema } from "../../settings/schema.ts";
import {
    anchorsOf,
    DOCUMENTS,
    exportsOf,
    isSetting,
    PAGES,
    programText,
    read,
    type Schema,
    sectionOf,
    settingsNamedIn,
} from "../support/documentation.ts";
import { some } from "../support/some.ts";

/** What the documentation says is there. */

const project = new URL("../../", import.meta.url);
const outputs = exportsOf(read("index.ts"));
const stack = JSON.parse(read("stack.schema.json")) as Schema;
const ofStack = Object.entries(stack.properties?.config?.properties ?? {});
const schema = {
    properties: Object.fromEntries(
        ofStack.map(([key, value]) => [key.replace("synapse:", ""), value] as const),
    ),
};

/** It tells of names that are no longer there. */
const CHANGELOG = "CHANGELOG.md";

for (const document of DOCUMENTS) {
    describe(document, () => {
        const text = read(document);

        test("names no npm script that package.json lacks", () => {
            const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
            const run = text.matchAll(/\bnpm run (?:--silent )?([a-z][a-z:-]*)/g);
            const short = text.matchAll(/\bnpm (start|stop|test)\b/g);
            const named = new Set([...run, ...short].map(([, script = ""]) => script));
            assert.deepEqual(
                [...named].filter((script) => !(script in scripts)),
                [],
            );
        });

        test("leads to headings and files that are there", () => {
            const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
            const broken = targets.filter((target) => {
                if (target.startsWith("https://")) return false;
                const [path = "", anchor] = target.split("#");
                const file = path === "" ? document : new URL(path, `file:///${document}`).pathname.slice(1);
                if (!existsSync(new URL(file, project))) return true;
                return anchor !== undefined && !anchorsOf(read(file)).has(anchor);
            });
            assert.deepEqual(broken, []);
        });

        test("names no file of the project that is not there", () => {
            const paths = text.matchAll(
                /`((?:commands|components|docs|engine|examples|images|scripts|settings|tests)\/[\w./-]*)`/g,
            );
            assert.deepEqual(
                [...paths].map(([, path = ""]) => path).filter((path) => !existsSync(new URL(path, project))),
                [],
            );
        });

        test("is no longer than a person reads at a time", () => {
            assert.ok(text.split("\n").length <= 251, `${text.split("\n").length} lines`);
        });

        if (document === CHANGELOG) return;

        test("names no setting and no TLS mode that is not there", () => {
            const known = Object.keys(schema.properties);
            assert.deepEqual(
                settingsNamedIn(text, known).filter((path) => !isSetting(schema, path)),
                [],
            );
            const named = [
                ...text.matchAll(/\btls\.mode[ =:]+([a-z][a-z-]*)/g),
                ...text.matchAll(/\bmodes?\s`([\w-]+)`/g),
                ...text.matchAll(/^\s+mode: ([a-z-]+)/gm),
            ];
            assert.deepEqual(
                named.map(([, mode = ""]) => mode).filter((mode) => !modes().includes(mode)),
                [],
            );
        });

        test("names no output that is not there", () => {
            const commands = text.matchAll(
                /(?:pulumi stack output|npm run (?:--silent )?output) ([A-Za-z]\w*)/g,
            );
            const prose = text.matchAll(/\boutputs?\s`(\w+)`/g);
            assert.deepEqual(
                [...commands, ...prose]
                    .map(([, name = ""]) => name)
                    .filter((name) => !outputs.includes(name)),
                [],
            );
        });
    });
}

test("the README leads to every page", () => {
    const pages = read("README.md").matchAll(/\]\((docs\/[\w-]+\.md)/g);
    assert.deepEqual([...new Set([...pages].map(([, page = ""]) => page))].sort(), [...PAGES].sort());
});

test("the page about outputs explains every stack output, and no other", () => {
    const explained = [...sectionOf(read("docs/outputs.md"), "Outputs").matchAll(/^\| `(\w+)`/gm)];
    assert.ok(outputs.includes("clientUrl"));
    assert.deepEqual(explained.map(([, name = ""]) => name).sort(), [...outputs].sort());
});

test("the page about TLS modes says what each is for, and names no other", () => {
    const page = read("docs/tls.md");
    const explained = sectionOf(page, "Which mode for whom").matchAll(/^- \*\*`([\w-]+)`\*\*/gm);
    const deployed = sectionOf(page, "What each mode deploys").matchAll(/^\| `([\w-]+)` /gm);
    for (const named of [explained, deployed]) {
        assert.deepEqual([...named].map(([, mode = ""]) => mode).sort(), modes().sort());
    }
});

test("the documentation says what restarts on a change of any setting that can change", () => {
    const table = sectionOf(read("docs/operate.md"), "What restarts on which change");
    // One is permanent, and these are about the stack as a whole: other pages tell of them.
    const others = ["serverName", "ephemeral", "name", "dockerHost", "takeOver"];
    const settings = Object.keys(settingsSchema.shape).filter((key) => !others.includes(key));
    assert.deepEqual(
        settings.filter((key) => !table.includes(`\`${key}`)),
        [],
    );
});

test("the plugins that the documentation installs are those that package.json pins", () => {
    const { dependencies } = JSON.parse(read("package.json")) as { dependencies: Record<string, string> };
    const installed = read("docs/production.md").matchAll(/^pulumi plugin install resource (\w+) (\S+)$/gm);
    assert.deepEqual(Object.fromEntries([...installed].map(([, name, version]) => [name, version])), {
        docker: dependencies["@pulumi/docker"],
        command: dependencies["@pulumi/command"],
    });
});

test("the errors that the documentation explains are the program's own", () => {
    const program = programText();
    const [own = ""] = read("docs/troubleshooting.md").split("## In Pulumi's and Docker's words");
    const quoted = some(own.matchAll(/\*\*`([^`]+)`\*\*/g)).map(([, error = ""]) =>
        error.replaceAll("\n", " "),
    );
    const parts = quoted.flatMap((error) => error.split("…").map((part) => part.trim()));
    assert.deepEqual(
        parts.filter((part) => !program.includes(part)),
        [],
    );
});

function modes(): string[] {
    const { properties } = z.toJSONSchema(settingsSchema, { io: "input" }) as Schema;
    return (properties?.tls?.oneOf ?? []).map((variant) => variant.properties?.mode?.const ?? "");
}
