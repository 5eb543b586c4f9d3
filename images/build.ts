import { existsSync, readFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import type Docker from "dockerode";
import { pack } from "tar-stream";
import { ensureBase } from "./debian.ts";
import { eventsOf } from "./docker.ts";
import { type Log, startProgress } from "./progress.ts";
import { baseTag, filesOf, LABEL, type Recipe } from "./recipes.ts";

/**
 * Builds the recipe's image. The tag appears in one step at the very end, so neither an interruption nor a
 * second build at the same time leaves a tag on half an image.
 */
export async function build(docker: Docker, recipe: Recipe, log: Log): Promise<void> {
    if (recipe.base === undefined) await ensureBase(docker, log);
    const progress = startProgress(recipe.name, log);
    try {
        const context = contextOf(recipe.folder);
        // The first-generation builder, which every engine has: the other one needs the buildx plugin.
        const events = await docker.buildImage(context, {
            t: recipe.tag,
            rm: true,
            forcerm: true,
            // The build downloads; the host's network is the one known to reach something.
            networkmode: "host",
            buildargs: { BASE: recipe.base ?? baseTag(), ...proxies() },
            labels: { [LABEL]: recipe.tag },
        });
        for await (const { stream, error } of eventsOf(events)) {
            if (error !== undefined)
                throw new Error(`building ${recipe.tag} failed: ${error}\n${progress.tail()}`);
            if (stream !== undefined) progress.saw(stream);
        }
    } finally {
        progress.stop();
    }
    log(`${recipe.name}: built ${recipe.tag} in ${progress.seconds()} s`);
}

/** What the engine gets to build from: the recipe, and this machine's certificates for the downloads. */
function contextOf(folder: string): NodeJS.ReadableStream {
    const archive = pack();
    for (const { name, mode, content } of filesOf(folder)) archive.entry({ name, mode }, content);
    archive.entry({ name: "ca-bundle.crt", mode: 0o644 }, certificates());
    archive.finalize();
    return archive.pipe(new PassThrough());
}

function certificates(): Buffer {
    const candidates = [
        process.env.SSL_CERT_FILE,
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
    ];
    const bundle = candidates.find((path) => path !== undefined && existsSync(path));
    return bundle === undefined ? Buffer.alloc(0) : readFileSync(bundle);
}

/** Docker keeps these build arguments out of the image and of the build cache. */
function proxies(): Record<string, string> {
    const names = ["http_proxy", "https_proxy", "no_proxy"].flatMap((name) => [name, name.toUpperCase()]);
    return Object.fromEntries(
        names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
    );
}
