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

/** What a text names of each kind. */
const named = {
    scripts: (text: string) => [
        ...firstsOf(text, /\bnpm run (?:--silent )?([a-z][a-z:-]*)/g),
        ...firstsOf(text, /\bnpm (start|stop|test)\b/g),
    ],
    links: (text: string) =>
        firstsOf(text, /\]\(([^)\s]+)\)/g).filter((link) => !link.startsWith("https://")),
    files: (text: string) =>
        firstsOf(
            text,
            /`((?:commands|components|docs|engine|examples|images|scripts|settings|tests)\/[\w./-]*)`/g,
        ),
    settings: (text: string) => settingsNamedIn(text, Object.keys(schema.properties)),
    modes: (text: string) => [
        ...firstsOf(text, /\btls\.mode[ =:]+([a-z][a-z-]*)/g),
        ...firstsOf(text, /\bmodes?\s`([\w-]+)`/g),
        ...firstsOf(text, /^\s+mode: ([a-z-]+)/gm),
    ],
    outputs: (text: string) => [
        ...firstsOf(text, /(?:pulumi stack output|npm run (?:--silent )?output) ([A-Za-z]\w*)/g),
        ...firstsOf(text, /\boutputs?\s`(\w+)`/g),
    ],
};

for (const document of DOCUMENTS) {
    describe(document, () => {
        const text = read(document);

        test("names no npm script that package.json lacks", () => {
            const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
            refuse(named.scripts(text), (script) => script in scripts);
        });

        test("leads to headings and files that are there", () => {
            refuse(named.links(text), (link) => {
                const [path = "", anchor] = link.split("#");
                const file = path === "" ? document : new URL(path, `file:///${document}`).pathname.slice(1);
                if (!existsSync(new URL(file, project))) return false;
                return anchor === undefined || anchorsOf(read(file)).has(anchor);
            });
        });

        test("names no file of the project that is not there", () => {
            refuse(named.files(text), (path) => existsSync(new URL(path, project)));
        });

        test("is no longer than a person reads at a time", () => {
            assert.ok(text.trimEnd().split("\n").length <= 250);
        });

        if (document === CHANGELOG) return;

        test("names no setting and no TLS mode that is not there", () => {
            refuse(named.settings(text), (path) => isSetting(schema, path));
            refuse(named.modes(text), (mode) => modes().includes(mode));
        });

        test("names no output that is not there", () => {
            refuse(named.outputs(text), (name) => outputs.includes(name));
        });
    });
}

for (const [kind, find] of Object.entries(named)) {
    test(`what is looked at of the documentation's ${kind} is more than a few`, () => {
        assert.ok(new Set(DOCUMENTS.flatMap((document) => find(read(document)))).size > 5);
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
    const [mine = ""] = read("docs/troubleshooting.md").split("## In Pulumi's and Docker's words");
    const own = `${mine}\n${read("docs/troubleshooting-data.md")}`;
    const quoted = some(own.matchAll(/\*\*`([^`]+)`\*\*/g)).map(([, error = ""]) =>
        error.replaceAll("\n", " "),
    );
    const parts = quoted.flatMap((error) => error.split("…").map((part) => part.trim()));
    assert.deepEqual(
        parts.filter((part) => !program.includes(part)),
        [],
    );
});

/** What is named and not there. */
function refuse(names: readonly string[], isThere: (name: string) => boolean): void {
    assert.deepEqual(
        [...new Set(names)].filter((name) => !isThere(name)),
        [],
    );
}

function firstsOf(text: string, pattern: RegExp): string[] {
    return [...text.matchAll(pattern)].map(([, first = ""]) => first);
}

function modes(): string[] {
    const { properties } = z.toJSONSchema(settingsSchema, { io: "input" }) as Schema;
    return (properties?.tls?.oneOf ?? []).map((variant) => variant.properties?.mode?.const ?? "");
}
