import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dump } from "js-yaml";
import { z } from "zod";
import { settingsSchema } from "./schema.ts";

/**
 * Writes what is made from the settings' schema: the JSON Schema that editors use, the `config:` section of
 * Pulumi.yaml, and docs/settings.md. With `--check` it writes nothing, and exits with 1 when one of them is stale.
 */

interface JsonSchema {
    readonly type?: string;
    readonly description?: string;
    readonly default?: unknown;
    readonly properties?: Readonly<Record<string, JsonSchema>>;
    readonly required?: readonly string[];
    readonly oneOf?: readonly JsonSchema[];
    readonly items?: JsonSchema;
    readonly enum?: readonly string[];
    readonly const?: string;
}

const BEGIN = "# settings: made by `npm run schema`\n";
const END = "# settings: end";

const INTRODUCTION = `<!-- Made from settings/ by \`npm run schema\`: what is changed here is overwritten. -->

# Settings

Every setting of a stack, with its default. They stand in \`Pulumi.<stack>.yaml\`, in the namespace \`synapse:\`
(\`synapse:serverName\`), and editors that know YAML's language server check them there.

\`pulumi config set serverName example.org\` sets one, \`pulumi config set --path tls.mode acme\` one inside of another, and
\`--secret\` beside it keeps a value encrypted. All faults are reported at once, before anything is touched.

Where several kinds are listed, such as \`tls.mode: acme\` and \`tls.mode: files\`, a stack has one of them, and of the
settings below them those of its kind alone.
`;

const schema = z.toJSONSchema(settingsSchema, { io: "input" }) as JsonSchema;
const root = new URL("../", import.meta.url);

const wanted = new Map([
    ["stack.schema.json", `${JSON.stringify(stackSchema(schema), undefined, 4)}\n`],
    ["Pulumi.yaml", withConfig("Pulumi.yaml", pulumiConfig(schema))],
    ["docs/settings.md", `${INTRODUCTION}\n${table(schema)}\n`],
]);
const stale = [...wanted].filter(([file, text]) => read(file) !== text);

if (process.argv.includes("--check")) {
    for (const [file] of stale) console.error(`${file} does not fit settings/: run npm run schema`);
    process.exitCode = stale.length === 0 ? 0 : 1;
} else {
    mkdirSync(new URL("docs/", root), { recursive: true });
    for (const [file, text] of stale) writeFileSync(new URL(file, root), text);
    console.log(stale.length === 0 ? "Nothing to do." : `Wrote ${stale.map(([file]) => file).join(", ")}.`);
}

/** Schema of a whole Pulumi.<stack>.yaml. */
function stackSchema(settings: JsonSchema): unknown {
    const { required = [], properties = {} } = settings;
    return {
        $schema: "https://json-schema.org/draft/2020-12/schema",
        title: "A stack's configuration, Pulumi.<stack>.yaml",
        type: "object",
        properties: {
            config: {
                type: "object",
                properties: Object.fromEntries(
                    Object.entries(properties).map(([key, value]) => [`synapse:${key}`, asWritten(value)]),
                ),
                required: required.map((key) => `synapse:${key}`),
                // Other namespaces are other people's; in ours, what is not listed is a mistake.
                patternProperties: { "^synapse:": {} },
            },
        },
    };
}

/** `pulumi config set` writes a lone `true` or `15` as text. */
function asWritten(value: JsonSchema): unknown {
    if (value.type !== "boolean" && value.type !== "integer") return value;
    const text = value.type === "boolean" ? "^(true|false)$" : "^[0-9]+$";
    const { description, ...bare } = value;
    return { description, anyOf: [bare, { type: "string", pattern: text }] };
}

/** Pulumi's own notation. Without a default it takes a key for required, so an optional one gets an empty one. */
function pulumiConfig({ properties = {}, required = [] }: JsonSchema): string {
    const config = Object.entries(properties).map(([key, value]) => {
        const type = pulumiType(value);
        const fallback = value.default ?? (type === "object" ? {} : "");
        const entry = {
            type,
            ...(value.items === undefined ? {} : { items: { type: pulumiType(value.items) } }),
            description: value.description,
            ...(required.includes(key) ? {} : { default: fallback }),
        };
        return [`synapse:${key}`, entry] as const;
    });
    return dump({ config: Object.fromEntries(config) }, { lineWidth: -1 });
}

function pulumiType({ type, oneOf }: JsonSchema): string {
    return type ?? (oneOf === undefined ? "string" : "object");
}

/** A row for each setting, and for each one inside it. */
function table({ properties = {}, required = [] }: JsonSchema): string {
    const rows = Object.entries(properties).flatMap(([key, value]) =>
        rowsOf(key, value, required.includes(key)),
    );
    return ["| Setting | Default | What it is |", "|---|---|---|", ...rows].join("\n");
}

function rowsOf(key: string, value: JsonSchema, required: boolean): string[] {
    const inner = Object.entries(value.properties ?? {}).flatMap(([name, field]) =>
        field.const === undefined
            ? rowsOf(`${key}.${name}`, field, (value.required ?? []).includes(name))
            : [],
    );
    const variants = (value.oneOf ?? []).flatMap((variant) => {
        const [name, field] =
            Object.entries(variant.properties ?? {}).find(([, { const: word }]) => word !== undefined) ?? [];
        const row = `| \`${key}.${name}: ${field?.const}\` | | ${variant.description} |`;
        return [row, ...rowsOf(key, variant, false).slice(1)];
    });
    const fallback =
        value.default === undefined || value.oneOf !== undefined
            ? ""
            : `\`${JSON.stringify(value.default)}\``;
    const values =
        value.enum === undefined ? "" : ` One of ${value.enum.map((text) => `\`${text}\``).join(", ")}.`;
    const row = `| \`${key}\` | ${required ? "required" : fallback === "`{}`" ? "" : fallback} | ${value.description ?? ""}${values} |`;
    return [row, ...inner, ...variants];
}

/** The file with the part between its two marks replaced. */
function withConfig(file: string, text: string): string {
    const whole = read(file);
    const [from, to] = [whole.indexOf(BEGIN) + BEGIN.length, whole.indexOf(END)];
    if (!whole.includes(BEGIN) || to < from)
        throw new Error(`${file} lacks the lines "${BEGIN.trim()}" and "${END}"`);
    return whole.slice(0, from) + text + whole.slice(to);
}

function read(file: string): string {
    try {
        return readFileSync(new URL(file, root), "utf8");
    } catch {
        return "";
    }
}
