import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "js-yaml";

/** What the project is to look like at first sight. */

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");

test("index.ts leads from the settings to the outputs in at most 40 lines, without a condition", () => {
    const text = read("index.ts");
    assert.ok(text.trimEnd().split("\n").length <= 40);
    assert.doesNotMatch(text, /\b(if|switch|for|while)\b|\?|&&|\|\|/);
});

test("the program has one name: of the package, of the Pulumi project, and at the head of the README", () => {
    const { name } = JSON.parse(read("package.json")) as { name: string };
    const lock = JSON.parse(read("package-lock.json")) as { name: string };
    const project = load(read("Pulumi.yaml")) as { name: string };
    const [title] = read("README.md").split("\n");
    assert.deepEqual([lock.name, project.name, title], [name, name, `# ${name}`]);
});
