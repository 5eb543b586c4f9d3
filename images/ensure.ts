import Docker from "dockerode";
import { build } from "./build.ts";
import { eventsOf, present } from "./docker.ts";
import type { Log } from "./progress.ts";
import { findRecipe, type Recipe } from "./recipes.ts";

/**
 * Makes sure that the engine has every wanted image, or an equivalent, and says what each is called there.
 *
 * `wanted` maps a recipe's name to an image reference. In this order: the image itself if it is there, the
 * equivalent if it was built before, the image from its registry if that answers, the equivalent built now.
 */
export async function ensureImages(
    wanted: Readonly<Record<string, string>>,
    log: Log,
    docker = new Docker(),
): Promise<Record<string, string>> {
    const entries = Object.entries(wanted).map(async ([name, reference]) => {
        return [name, await ensureImage(docker, name, reference, log)] as const;
    });
    // All to their end before the first failure is thrown: nothing goes on in the background afterwards.
    const settled = await Promise.allSettled(entries);
    const found: Record<string, string> = {};
    for (const outcome of settled) {
        if (outcome.status === "rejected") throw outcome.reason;
        const [name, tag] = outcome.value;
        found[name] = tag;
    }
    return found;
}

async function ensureImage(docker: Docker, name: string, reference: string, log: Log): Promise<string> {
    if (await present(docker, reference)) return reference;

    const recipe = recipeFor(name, reference);
    // Asked before the registry: where none answers, every run would otherwise wait for that again.
    if (recipe !== undefined && (await present(docker, recipe.tag))) {
        log(
            `${name}: using ${recipe.tag}, built here before, for ${reference}${otherVersion(recipe, reference)}`,
        );
        return recipe.tag;
    }

    const registry = registryOf(reference);
    if (await answers(registry)) {
        await pull(docker, name, reference, log);
        return reference;
    }

    if (recipe === undefined) {
        throw new Error(
            `${registry} does not answer, and there is no recipe to build an equivalent of ${reference}`,
        );
    }
    log(`${name}: ${registry} does not answer, so ${reference} cannot be pulled`);
    log(
        `${name}: building an equivalent from Debian and PyPI packages${otherVersion(recipe, reference)}; about 2 minutes`,
    );
    await build(docker, recipe, log);
    return recipe.tag;
}

/**
 * The recipe of an image's equivalent. It stands in for other versions, but not for another major one: of PostgreSQL
 * that could not read the data, or would make data that the wanted one cannot.
 */
function recipeFor(name: string, reference: string): Recipe | undefined {
    const recipe = findRecipe(name);
    const wanted = majorOf(versionOf(reference));
    return wanted === undefined || wanted === majorOf(recipe?.version) ? recipe : undefined;
}

function majorOf(version: string | undefined): string | undefined {
    return /^\d+/.exec(version ?? "")?.[0];
}

/** The registry that a reference names, as Docker reads it. */
export function registryOf(reference: string): string {
    const [first = "", ...rest] = reference.split("/");
    // Docker's rule: the part before the first slash is a host only if it cannot be a user's name.
    return rest.length > 0 && (/[.:]/.test(first) || first === "localhost") ? first : "docker.io";
}

/** The version that a reference's tag names, without a leading v; undefined if it names none. */
export function versionOf(reference: string): string | undefined {
    const name = reference.split("@")[0] ?? "";
    return /:v?([^:/]+)$/.exec(name)?.[1];
}

function otherVersion(recipe: Recipe, reference: string): string {
    const wanted = versionOf(reference);
    return wanted === recipe.version ? "" : ` (version ${recipe.version}, not ${wanted ?? "a named one"})`;
}

const asked = new Map<string, Promise<boolean>>();

/** Whether a registry answers within seconds. Each is asked once. */
function answers(registry: string): Promise<boolean> {
    const answer = asked.get(registry) ?? ask(registry);
    asked.set(registry, answer);
    return answer;
}

async function ask(registry: string): Promise<boolean> {
    const host = registry === "docker.io" ? "registry-1.docker.io" : registry;
    // Docker itself speaks plain HTTP to a registry on this machine.
    const scheme = /^(localhost|127\.[\d.]+)(:|$)/.test(host) ? "http" : "https";
    try {
        const response = await fetch(`${scheme}://${host}/v2/`, { signal: AbortSignal.timeout(5000) });
        // 401 asks for a login, which a pull of a public image gets by itself. Anything else is some proxy.
        return response.status === 200 || response.status === 401;
    } catch {
        return false;
    }
}

async function pull(docker: Docker, name: string, reference: string, log: Log): Promise<void> {
    log(`${name}: pulling ${reference}`);
    const layers = new Map<string, { current: number; total: number }>();
    const timer = setInterval(() => {
        const sum = (key: "current" | "total") =>
            [...layers.values()].reduce((all, layer) => all + layer[key], 0);
        log(`${name}: pulled ${megabytes(sum("current"))} of ${megabytes(sum("total"))} MB`);
    }, 5000);
    try {
        for await (const event of eventsOf(await docker.pull(reference))) {
            if (event.error !== undefined) throw new Error(event.error);
            const { current, total } = event.progressDetail ?? {};
            if (event.status === "Downloading" && event.id !== undefined && current !== undefined) {
                layers.set(event.id, { current, total: total ?? current });
            }
        }
    } catch (error) {
        throw new Error(
            `pulling ${reference} failed: ${(error as Error).message.trim()}\n` +
                `An equivalent can be built instead: npm run images -- ${name}`,
        );
    } finally {
        clearInterval(timer);
    }
}

function megabytes(bytes: number): number {
    return Math.round(bytes / 1e6);
}
