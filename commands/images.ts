// npm run images [-- NAME…]
// Without names: the images that a stack uses which names none, as ensureImages finds them. With names: those recipes
// are built, whatever registries answer. Prints what each is called.
import Docker from "dockerode";
import { build } from "../images/build.ts";
import { present } from "../images/docker.ts";
import { ensureImages } from "../images/ensure.ts";
import type { Log } from "../images/progress.ts";
import { findRecipe, recipeNames } from "../images/recipes.ts";
import { readSettings } from "../settings/read.ts";

const names = process.argv.slice(2);
const log: Log = (line) => console.error(line);
try {
    const found = names.length > 0 ? await buildNamed(names) : await ensureImages(defaultImages(), log);
    for (const [name, tag] of Object.entries(found)) console.log(`${name}=${tag}`);
} catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
}

function defaultImages(): Readonly<Record<string, string>> {
    return readSettings("local", { serverName: "localhost", tls: '{"mode":"local-ca"}' }, () => false).images;
}

async function buildNamed(names: readonly string[]): Promise<Record<string, string>> {
    const docker = new Docker();
    const recipes = names.map((name) => {
        const recipe = findRecipe(name);
        if (recipe === undefined)
            throw new Error(`no recipe "${name}"; there are: ${recipeNames().join(", ")}`);
        return recipe;
    });
    const built = recipes.map(async (recipe) => {
        if (!(await present(docker, recipe.tag))) await build(docker, recipe, log);
        return [recipe.name, recipe.tag] as const;
    });
    return Object.fromEntries(await Promise.all(built));
}
