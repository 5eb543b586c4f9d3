import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { load } from "js-yaml";

/** The documentation as text, and what it names. */

const project = new URL("../../", import.meta.url);

export const read = (file: string) => readFileSync(new URL(file, project), "utf8");

/** Pages of docs/, by their paths. */
export const PAGES = readdirSync(new URL("docs", project))
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file}`);

/** Everything for people. */
export const DOCUMENTS = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", ...PAGES];

/** From a heading to the next one of any level. */
export function sectionOf(text: string, heading: string): string {
    const [, section] = text.split(new RegExp(`^#+ ${heading}$`, "m"));
    assert.ok(section, `there is no heading "${heading}"`);
    return section.split(/^#+ /m)[0] ?? "";
}

/** The anchors of a document's headings, by GitHub's own rule. */
export function anchorsOf(text: string): Set<string> {
    const prose = text.replaceAll(/^```.*?^```$/gms, "");
    return new Set([...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading)));
}

function anchorOf(heading: string): string {
    return heading
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, "")
        .replaceAll(" ", "-");
}

/** The names of the program's outputs. */
export function exportsOf(program: string): string[] {
    const single = [...program.matchAll(/^export const (\w+)/gm)].map(([, name = ""]) => name);
    const several = [...program.matchAll(/^export (?:const )?\{([^}]*)\}/gm)].flatMap(([, names = ""]) =>
        names
            .split(",")
            // `own: exported` and `own as exported`
            .map(
                (name) =>
                    name
                        .split(/:|\bas\b/)
                        .at(-1)
                        ?.trim() ?? "",
            )
            .filter((name) => name !== ""),
    );
    return [...single, ...several];
}

/** The settings that a text names: in commands, in YAML, and in code of its prose. */
export function settingsNamedIn(text: string, known: readonly string[]): string[] {
    const commands = text.matchAll(/pulumi config (?:set|rm|get)((?: --[a-z]+)*) '?([^\s'`;,]+)/g);
    const many = text.matchAll(/--plaintext '?([^\s=]+)=/g);
    const qualified = text.matchAll(/(?<![\w/])synapse:(?!index:)([a-zA-Z][\w.[\]]*)/g);
    const paths = text.matchAll(/`([a-z][A-Za-z]*)\.([A-Za-z\d.[\]]+)`/g);
    return [
        ...[...commands].map(([, , key = ""]) => key.replace(/^synapse:/, "")),
        ...[...many].map(([, key = ""]) => key),
        ...[...qualified].map(([, key = ""]) => key),
        ...[...paths]
            .filter(([, head = ""]) => known.includes(head))
            .map(([, head = "", rest = ""]) => `${head}.${rest}`),
        ...yamlBlocks(text).flatMap((block) => pathsOf(block)),
    ]
        .map((key) => key.replace(/\.$/, ""))
        .filter((key) => !/[<…]/.test(key));
}

function yamlBlocks(text: string): unknown[] {
    // Those inside a list are indented.
    return [...text.matchAll(/^( *)```yaml\n(.*?)^\1```$/gms)]
        .map(([, , block = ""]) => block)
        .filter((block) => /^\s*synapse:/.test(block))
        .map((block) => load(block));
}

function pathsOf(value: unknown, above = ""): string[] {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return [above];
    return Object.entries(value).flatMap(([key, inner]) =>
        pathsOf(inner, above === "" ? key.replace(/^synapse:/, "") : `${above}.${key}`),
    );
}

export interface Schema {
    readonly properties?: Readonly<Record<string, Schema>>;
    readonly additionalProperties?: Schema | boolean;
    readonly items?: Schema;
    readonly oneOf?: readonly Schema[];
    readonly anyOf?: readonly Schema[];
    readonly const?: string;
}

/** Whether a setting's path, `tls.challenge.plugin` or `tls.names[0]`, stands in a schema. */
export function isSetting(schema: Schema, path: string): boolean {
    const steps = path.replaceAll(/\[\d+\]/g, ".[]").split(".");
    return leads(schema, steps);
}

function leads(schema: Schema, [step, ...rest]: readonly string[]): boolean {
    if (step === undefined) return true;
    const variants = [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])];
    if (variants.some((variant) => leads(variant, [step, ...rest]))) return true;
    if (step === "[]") return schema.items !== undefined && leads(schema.items, rest);
    const property = schema.properties?.[step];
    if (property !== undefined) return leads(property, rest);
    // What is below an option of homeserver.yaml is Synapse's own.
    return typeof schema.additionalProperties === "object";
}

/** The text of the program itself, with the strings that a line's end cuts in two put together. */
export function programText(): string {
    const others = new Set(["node_modules", "tests", "docs", "examples"]);
    const files = readdirSync(project, { withFileTypes: true })
        .filter(({ name }) => !name.startsWith(".") && !others.has(name))
        .flatMap((entry) =>
            entry.isDirectory()
                ? readdirSync(new URL(entry.name, project), { recursive: true, encoding: "utf8" }).map(
                      (file) => `${entry.name}/${file}`,
                  )
                : [entry.name],
        )
        .filter((file) => /\.(?:ts|js|sh|py)$/.test(file));
    return files
        .map(read)
        .join("\n")
        .replaceAll("\\\n", "")
        .replaceAll(/(["`'])(?: \+)?\n\s*f?["`']/g, "");
}
