import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ESLint } from "eslint";

const project = fileURLToPath(new URL("../..", import.meta.url));
const layers = new ESLint({ cwd: project, overrideConfigFile: join(project, "eslint.layers.js") });

/** What is said of some code in a file that need not be there. */
async function faultsOf(file: string, code: string): Promise<string[]> {
    const results = await layers.lintText(code, { filePath: join(project, file) });
    return results.flatMap(({ messages }) => messages.map(({ message }) => message));
}

describe("may not be imported:", () => {
    for (const [file, source, target] of [
        ["hosts.ts", "./settings/read.ts", "settings/read.ts"],
        ["settings/tls.ts", "../components/nginx/conf.ts", "components/nginx/conf.ts"],
        ["settings/tls.ts", "../images/ensure.ts", "images/ensure.ts"],
        ["components/nginx/proxy.ts", "../../settings/read.ts", "settings/read.ts"],
        ["components/nginx/proxy.ts", "../homeserver/topology.ts", "components/homeserver/topology.ts"],
        ["components/nginx/proxy.ts", "../synapse/server.ts", "components/synapse/server.ts"],
        ["components/nginx/parts/hold.ts", "../../../settings/read.ts", "settings/read.ts"],
        ["components/docker/task.ts", "../synapse/user.ts", "components/synapse/user.ts"],
        ["components/docker/task.ts", "../../engine/docker.ts", "engine/docker.ts"],
        ["components/homeserver/homeserver.ts", "../../engine/stack.ts", "engine/stack.ts"],
        ["components/homeserver/homeserver.ts", "../../index.ts", "index.ts"],
        ["engine/stack.ts", "../settings/read.ts", "settings/read.ts"],
        ["engine/stack.ts", "../hosts.ts", "hosts.ts"],
        ["engine/stack.ts", "../components/docker/client.ts", "components/docker/client.ts"],
        ["engine/stack.ts", "../images/ensure.ts", "images/ensure.ts"],
        ["engine/stack.ts", "../commands/stack.ts", "commands/stack.ts"],
        ["images/ensure.ts", "../settings/read.ts", "settings/read.ts"],
        ["images/ensure.ts", "../engine/docker.ts", "engine/docker.ts"],
        ["commands/stack.ts", "../index.ts", "index.ts"],
        ["commands/user/add.ts", "../../tests/support/http.ts", "tests/support/http.ts"],
    ] as const) {
        test(`${target} by ${file}`, async () => {
            assert.deepEqual(await faultsOf(file, `import { x } from "${source}";`), [
                `${file} may not import ${target}: see the table in eslint.layers.js.`,
            ]);
        });
    }
});

describe("may be imported:", () => {
    for (const [file, source] of [
        ["settings/schema.ts", "./tls.ts"],
        ["settings/schema.ts", "../hosts.ts"],
        ["components/homeserver/homeserver.ts", "../../settings/read.ts"],
        ["components/homeserver/homeserver.ts", "../nginx/proxy.ts"],
        ["components/nginx/proxy.ts", "../docker/task.ts"],
        ["components/nginx/proxy.ts", "./conf.ts"],
        ["components/nginx/proxy.ts", "../../hosts.ts"],
        ["components/nginx/proxy.ts", "@pulumi/pulumi"],
        ["components/docker/task.ts", "./tmpfs.ts"],
        ["engine/stack.ts", "./config.ts"],
        ["images/ensure.ts", "./recipes.ts"],
        ["commands/user/add.ts", "../../settings/read.ts"],
        ["commands/stack.ts", "../engine/stack.ts"],
        ["index.ts", "./components/homeserver/homeserver.ts"],
        ["tests/unit/x.test.ts", "../../engine/stack.ts"],
    ] as const) {
        test(`${source} by ${file}`, async () => {
            assert.deepEqual(await faultsOf(file, `import { x } from "${source}";`), []);
        });
    }
});

test("it does not matter how something is imported", async () => {
    for (const code of [
        'import "../settings/read.ts";',
        'import type { Settings } from "../settings/read.ts";',
        'export { read } from "../settings/read.ts";',
        'export * from "../settings/read.ts";',
        'const read = await import("../settings/read.ts");',
        'type Settings = import("../settings/read.ts").Settings;',
    ]) {
        assert.equal((await faultsOf("engine/stack.ts", code)).length, 1, code);
    }
});

test("`npm run check` asks for it", async () => {
    const config = (await new ESLint({ cwd: project }).calculateConfigForFile("engine/stack.ts")) as {
        rules: Record<string, unknown>;
    };
    assert.deepEqual(config.rules["layers/imports"], [2]);
});
