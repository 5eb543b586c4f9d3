import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const FOLDER = import.meta.dirname;

/** Where the image is made that all recipes start from. */
export const BASE_FOLDER = join(FOLDER, "base");

/** On every image that is made from these folders: the tag it was made for. */
export const LABEL = "synapse.recipe";

/** A folder beside this file with a Dockerfile: how to build the equivalent of an official image. */
export interface Recipe {
    readonly name: string;
    readonly folder: string;
    /** Version of the program inside, as its Dockerfile's label says. */
    readonly version: string;
    /** The image that it is built on. @default - the one that all recipes start from */
    readonly base?: string;
    /** What the built image is called. It names the recipe's content, so a changed recipe is another image. */
    readonly tag: string;
}

/** The names of all recipes. */
export function recipeNames(): string[] {
    return readdirSync(FOLDER).filter((name) => existsSync(join(FOLDER, name, "Dockerfile")));
}

/** The recipe of that name, if there is one. */
export function findRecipe(name: string): Recipe | undefined {
    const folder = join(FOLDER, name);
    if (!existsSync(join(folder, "Dockerfile"))) return undefined;
    const version = /image\.version="(.+?)"/.exec(readFileSync(join(folder, "Dockerfile"), "utf8"))?.[1];
    if (version === undefined)
        throw new Error(`${folder}/Dockerfile has no org.opencontainers.image.version label`);
    // What an image is built on is part of what it is.
    const hash = hashOfFolder(folder, baseTag());
    return { name, folder, version, tag: `synapse-equivalent/${name}:${version}-${hash}` };
}

/** Twelve hex digits that change when a file's name, content or executable bit does; nothing else moves them. */
export function hashOfFolder(folder: string, seed = ""): string {
    const hash = createHash("sha256").update(seed);
    for (const file of filesOf(folder)) {
        // Lengths first: otherwise the end of one file could pass for the start of the next.
        const head = [file.name, file.mode, file.content.length].join("\0");
        hash.update(`\0${head}\0`).update(file.content);
    }
    return hash.digest("hex").slice(0, 12);
}

/** What the image is called that all recipes start from. */
export function baseTag(): string {
    return `synapse-equivalent/base:trixie-${hashOfFolder(BASE_FOLDER)}`;
}

/** A file of a recipe, as it goes into the build and into the hash. */
export interface RecipeFile {
    readonly name: string;
    readonly mode: number;
    readonly content: Buffer;
}

export function filesOf(folder: string): RecipeFile[] {
    return (
        readdirSync(folder, { recursive: true, encoding: "utf8" })
            .sort()
            // What a recipe says about itself is no part of the image.
            .filter((name) => !name.endsWith(".md") && statSync(join(folder, name)).isFile())
            .map((name) => {
                // Of the mode only what git keeps: the rest is the umask of whoever cloned.
                const executable = (statSync(join(folder, name)).mode & 0o100) !== 0;
                return { name, mode: executable ? 0o755 : 0o644, content: readFileSync(join(folder, name)) };
            })
    );
}
