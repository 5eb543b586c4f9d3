import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";
import { settingsSchema } from "../../settings/schema.ts";
import { some } from "../support/some.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (file: string) => readFileSync(`${root}/${file}`, "utf8");

interface Schema {
    readonly type?: string;
    readonly properties?: Readonly<Record<string, Schema>>;
    readonly required?: readonly string[];
    readonly oneOf?: readonly Schema[];
    readonly items?: Schema;
    readonly enum?: readonly unknown[];
    readonly const?: unknown;
    readonly pattern?: string;
    readonly additionalProperties?: unknown;
}

const { properties: { config: stackSchema } = {} } = JSON.parse(read("stack.schema.json")) as Schema;
const project = load(read("Pulumi.yaml")) as {
    config: Record<string, { type?: string; description?: string; default?: unknown }>;
};

test("what is made from the schema is up to date", () => {
    const { status, stderr } = spawnSync(process.execPath, ["settings/generate.ts", "--check"], {
        cwd: root,
        encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
});

// Whoever uses the project adds files of their own.
for (const file of ["Pulumi.prod.yaml", "Pulumi.local.yaml"]) {
    test(`${file} fits stack.schema.json, and says so to editors`, () => {
        const text = read(file);
        assert.match(text, /^# yaml-language-server: \$schema=\.\/stack\.schema\.json\n/);
        const { config } = load(text) as { config: Record<string, unknown> };
        assert.ok(stackSchema);
        const own = Object.entries(config).filter(([key]) => key.startsWith("synapse:"));
        for (const [key, value] of some(own)) {
            const setting: Schema | undefined = stackSchema.properties?.[key];
            assert.ok(setting, `${key} is no setting`);
            assert.equal(misfit(setting, value), undefined, key);
        }
        for (const key of some(stackSchema.required ?? [])) assert.ok(key in config, `${key} is missing`);
    });
}

test("stack.schema.json refuses what the program would refuse", () => {
    for (const [key, value] of [
        ["serverName", 1],
        ["tls", { mode: "acme", email: 1 }],
        ["tls", { mode: "none", directory: "/etc" }],
        ["tls", { mode: "letsencrypt" }],
        ["tls", { mode: "synapse", directory: "relative" }],
        ["ports", { https: "http" }],
        ["ports", { ftp: 21 }],
        ["listenAddresses", { public: "::" }],
        ["maxUploadSize", "50MB"],
        ["logLevel", "info"],
    ] as const) {
        const setting = stackSchema?.properties?.[`synapse:${key}`] ?? {};
        assert.notEqual(misfit(setting, value), undefined, `${key}: ${JSON.stringify(value)}`);
    }
});

const REQUIRED = ["serverName", "tls"];

test("only what has no sensible default is required", () => {
    assert.deepEqual(
        stackSchema?.required,
        REQUIRED.map((key) => `synapse:${key}`),
    );
});

test("docs/settings.md has a row for every setting, and for every TLS mode", () => {
    const document = read("docs/settings.md");
    for (const key of Object.keys(settingsSchema.shape))
        assert.match(document, new RegExp(`^\\| \`${key}\` \\|`, "m"));
    for (const { properties } of some(stackSchema?.properties?.["synapse:tls"]?.oneOf ?? []))
        assert.ok(document.includes(`| \`tls.mode: ${String(properties?.mode?.const)}\` |`));
});

for (const [key, schema] of Object.entries(settingsSchema.shape)) {
    const entry = project.config[`synapse:${key}`];

    test(`Pulumi.yaml knows ${key}, its type and what it is`, () => {
        assert.ok(entry);
        assert.match(entry.type ?? "", /^(string|boolean|integer|object|array)$/);
        assert.match(entry.description ?? "", /^[A-Z].{10,}\.$/s);
    });

    test(`Pulumi.yaml has ${REQUIRED.includes(key) ? "no default" : "a default"} for ${key}`, () => {
        // Without a default, Pulumi takes a key for required.
        assert.equal(entry !== undefined && "default" in entry, schema.safeParse(undefined).success);
    });

    test(`Pulumi.yaml's default for ${key} is the schema's own`, () => {
        // What is empty stands for what is left out.
        if (entry?.default === undefined || entry.default === "" || JSON.stringify(entry.default) === "{}")
            return;
        assert.deepEqual(schema.parse(entry.default), schema.parse(undefined));
    });
}

test("Pulumi.yaml has no setting that the program does not know", () => {
    const known = Object.keys(settingsSchema.shape).map((key) => `synapse:${key}`);
    assert.deepEqual(Object.keys(project.config), known);
});

/** Why a value does not fit, by the little of JSON Schema that is used here; undefined when it fits. */
function misfit(schema: Schema, value: unknown): string | undefined {
    if (schema.oneOf !== undefined) {
        const fitting = schema.oneOf.filter((variant) => misfit(variant, value) === undefined);
        return fitting.length === 1 ? undefined : `fits ${fitting.length} variants`;
    }
    if (schema.type !== undefined && schema.type !== typeOf(value)) return `is no ${schema.type}`;
    if (schema.enum?.includes(value) === false) return "is none of the known values";
    if ("const" in schema && schema.const !== value) return `is not ${String(schema.const)}`;
    if (typeof value === "string" && !new RegExp(schema.pattern ?? "").test(value)) return "looks otherwise";
    if (Array.isArray(value)) {
        return value.map((item) => misfit(schema.items ?? {}, item)).find((fault) => fault !== undefined);
    }
    if (typeof value !== "object" || value === null) return undefined;
    const missing = (schema.required ?? []).find((key) => !(key in value));
    if (missing !== undefined) return `lacks ${missing}`;
    return Object.entries(value)
        .map(([key, inner]) => {
            const property = schema.properties?.[key];
            if (property !== undefined) return misfit(property, inner);
            return schema.additionalProperties === false ? `has an unknown ${key}` : undefined;
        })
        .find((fault) => fault !== undefined);
}

function typeOf(value: unknown): string {
    if (Array.isArray(value)) return "array";
    return Number.isInteger(value) ? "integer" : typeof value;
}
