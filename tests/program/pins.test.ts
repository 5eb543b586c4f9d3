import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (file: string) => JSON.parse(readFileSync(`${root}/${file}`, "utf8")) as Record<string, unknown>;

const manifest = read("package.json") as Record<
    "dependencies" | "optionalDependencies" | "devDependencies",
    Record<string, string>
>;
const lock = read("package-lock.json") as {
    packages: Record<string, { version?: string; integrity?: string; resolved?: string }>;
};
const direct = Object.entries({
    ...manifest.dependencies,
    ...manifest.optionalDependencies,
    ...manifest.devDependencies,
});

test("@pulumi/command is 1.2.1: npm's newest asks for a plugin that does not exist", () => {
    assert.equal(manifest.dependencies["@pulumi/command"], "1.2.1");
    const { version } = read("node_modules/@pulumi/command/package.json");
    assert.equal(String(version).replace(/^v/, ""), "1.2.1");
});

test("there is one copy of Pulumi's SDK, shared by the providers'", () => {
    const copies = Object.keys(lock.packages).filter((path) => path.endsWith("node_modules/@pulumi/pulumi"));
    assert.deepEqual(copies, ["node_modules/@pulumi/pulumi"]);
});

test("Node.js is the same on each kind of machine, and its types are of that line", () => {
    const [version, ...others] = new Set(Object.values(manifest.optionalDependencies));
    assert.deepEqual(others, []);
    const line = (text = "") => text.split(".")[0];
    assert.equal(line(manifest.devDependencies["@types/node"]), line(version));
});

for (const [name, version] of direct) {
    test(`${name} is pinned to one version, which the lock file has too`, () => {
        assert.match(version, /^[0-9]+\.[0-9]+\.[0-9]+$/);
        assert.equal(lock.packages[`node_modules/${name}`]?.version?.replace(/^v/, ""), version);
    });
}

test("the lock file names contents, and no registry", () => {
    const packages = Object.entries(lock.packages).filter(([path]) => path !== "");
    assert.ok(packages.length > direct.length);
    for (const [path, { integrity, resolved }] of packages) {
        assert.match(integrity ?? "", /^sha512-/, path);
        assert.equal(resolved, undefined, path);
    }
});
