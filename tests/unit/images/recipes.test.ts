import assert from "node:assert/strict";
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { registryOf, versionOf } from "../../../images/ensure.ts";
import { findRecipe, hashOfFolder, recipeNames } from "../../../images/recipes.ts";

const recipes = fileURLToPath(new URL("../../../images", import.meta.url));

/** A copy of a recipe that a test may spoil. */
function copyOf(recipe: string, t: { after(cleanUp: () => void): void }): string {
    const copy = mkdtempSync(join(tmpdir(), "recipe-"));
    t.after(() => rmSync(copy, { recursive: true }));
    cpSync(join(recipes, recipe), copy, { recursive: true });
    return copy;
}

test("a recipe's hash is that of its files' names, contents and executable bits", (t) => {
    const folder = copyOf("nginx", t);
    const untouched = hashOfFolder(folder);
    assert.match(untouched, /^[0-9a-f]{12}$/);
    assert.equal(hashOfFolder(join(recipes, "nginx")), untouched, "another place, the same hash");

    const seen = [untouched];
    const changed = (what: string) => {
        const hash = hashOfFolder(folder);
        assert.ok(!seen.includes(hash), what);
        seen.push(hash);
    };
    writeFileSync(join(folder, "nginx.conf"), "\n", { flag: "a" });
    changed("a file's content");
    writeFileSync(join(folder, "new.conf"), "");
    changed("one more file");
    cpSync(join(folder, "new.conf"), join(folder, "newer.conf"));
    rmSync(join(folder, "new.conf"));
    changed("a file's name");
    chmodSync(join(folder, "docker-entrypoint.sh"), 0o644);
    changed("an executable bit");
});

test("a recipe's hash does not move with times or the umask", (t) => {
    const folder = copyOf("nginx", t);
    const before = hashOfFolder(folder);
    utimesSync(join(folder, "nginx.conf"), 0, 0);
    chmodSync(join(folder, "nginx.conf"), 0o600);
    assert.equal(hashOfFolder(folder), before);
});

test("what an image is built on is part of its hash", (t) => {
    const folder = copyOf("nginx", t);
    assert.notEqual(hashOfFolder(folder, "one base"), hashOfFolder(folder, "another base"));
});

test("every recipe's tag names its version and its hash", () => {
    assert.deepEqual(recipeNames(), ["certbot", "nginx", "postgres", "restic", "synapse"]);
    for (const name of recipeNames()) {
        assert.match(
            findRecipe(name)?.tag ?? "",
            new RegExp(`^synapse-equivalent/${name}:[0-9.]+-[0-9a-f]{12}$`),
        );
    }
    assert.equal(findRecipe("redis"), undefined);
});

test("the Synapse recipe's label, its requirements and their lock name one version", () => {
    const folder = join(recipes, "synapse");
    const pinned = ["requirements.in", "requirements.txt"].map(
        (file) => /^matrix-synapse(?:\[.*\])?==(\S+)/m.exec(readFileSync(join(folder, file), "utf8"))?.[1],
    );
    assert.deepEqual(pinned, [findRecipe("synapse")?.version, findRecipe("synapse")?.version]);
});

test("busybox is built by the same instructions for every image that has it, so only once", () => {
    const [certbot, restic] = ["certbot", "restic"].map(
        (name) => readFileSync(join(recipes, name, "Dockerfile"), "utf8").split(/^(?=FROM )/m)[1],
    );
    assert.match(restic ?? "", /AS busybox/);
    assert.equal(restic?.replace(/^#.*\n/gm, ""), certbot?.replace(/^#.*\n/gm, ""));
});

test("PostgreSQL's recipe is of one major in all its places", () => {
    const text = readFileSync(join(recipes, "postgres", "Dockerfile"), "utf8");
    const version = findRecipe("postgres")?.version;
    assert.equal(/PG_MAJOR=(\d+)/.exec(text)?.[1], version);
    assert.equal(/postgresql\/(\d+)\/bin/.exec(text)?.[1], version);
});

for (const [reference, registry, version] of [
    ["nginx", "docker.io", undefined],
    ["nginx:1.28.0", "docker.io", "1.28.0"],
    ["matrixdotorg/synapse:v1.163.2", "docker.io", "1.163.2"],
    ["docker.io/library/nginx:1.28.0-alpine", "docker.io", "1.28.0-alpine"],
    ["ghcr.io/element-hq/synapse:v1.163.2", "ghcr.io", "1.163.2"],
    ["ghcr.io/element-hq/synapse:v1.163.2@sha256:0123", "ghcr.io", "1.163.2"],
    ["ghcr.io/element-hq/synapse@sha256:0123", "ghcr.io", undefined],
    ["localhost:5000/nginx", "localhost:5000", undefined],
    ["localhost/nginx:1", "localhost", "1"],
    ["registry.example:5000/a/b:2", "registry.example:5000", "2"],
] as const) {
    test(`${reference} is version ${version ?? "?"} from ${registry}`, () => {
        assert.equal(registryOf(reference), registry);
        assert.equal(versionOf(reference), version);
    });
}
