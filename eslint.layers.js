import { dirname, relative, resolve, sep } from "node:path";
import tseslint from "typescript-eslint";

/**
 * Who may import whom: for the files of each place the places that they may import from. The first line that fits
 * counts, for a whole path or for the start of one; `!` takes out again. What stands in no line is bound by none.
 */
const LAYERS = [
    ["hosts.ts", []],
    ["settings/", ["settings/", "hosts.ts"]],
    ["components/homeserver/", ["components/", "settings/", "hosts.ts"]],
    ["components/docker/", ["components/docker/", "hosts.ts"]],
    // What a component needs from another one it gets as an argument; how a database is reached is such a one's type.
    [
        "components/*/",
        ["components/*/", "components/docker/", "components/postgres/connection.ts", "hosts.ts"],
    ],
    ["engine/", ["engine/"]],
    ["images/", ["images/"]],
    ["commands/", ["", "!index.ts", "!tests/"]],
];

const ROOT = import.meta.dirname;

const imports = {
    meta: {
        type: "problem",
        schema: [],
        messages: { layer: "{{from}} may not import {{to}}: see the table in eslint.layers.js." },
    },
    create(context) {
        const from = pathOf(context.filename);
        const allowed = allowedFor(from);
        if (allowed === undefined) return {};
        const check = ({ source }) => {
            if (typeof source?.value !== "string" || !source.value.startsWith(".")) return;
            const to = pathOf(resolve(dirname(context.filename), source.value));
            if (!allowed(to)) context.report({ node: source, messageId: "layer", data: { from, to } });
        };
        return {
            ImportDeclaration: check,
            ImportExpression: check,
            ExportNamedDeclaration: check,
            ExportAllDeclaration: check,
            TSImportType: check,
        };
    },
};

/** Seen from the project's directory, with `/` on every system. */
function pathOf(file) {
    return relative(ROOT, file).split(sep).join("/");
}

/** Tells which paths the file at `from` may import; undefined if it may import all. */
function allowedFor(from) {
    const line = LAYERS.find(([place]) => startOf(place).test(from));
    if (line === undefined) return undefined;
    const [place, targets] = line;
    // In both columns `*` stands for the same folder.
    const folder = startOf(place).exec(from)?.[1] ?? "";
    const starts = (target) => target.replace("*", folder);
    const taken = targets.filter((target) => target.startsWith("!")).map((target) => target.slice(1));
    const given = targets.filter((target) => !target.startsWith("!")).map(starts);
    return (to) =>
        given.some((start) => to.startsWith(start)) && !taken.some((start) => to.startsWith(start));
}

function startOf(place) {
    return new RegExp(`^${place.replaceAll(".", "\\.").replace("*", "([^/]+)")}`);
}

/** Needs no type information, so that it can be tried on code that is in no file. */
export default [
    {
        files: ["**/*.ts"],
        languageOptions: { parser: tseslint.parser },
        plugins: { layers: { rules: { imports } } },
        rules: { "layers/imports": "error" },
    },
];
