import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type Docker from "dockerode";
import { pack } from "tar-stream";

/** Takes one line of what is going on. */
export type Log = (line: string) => void;

/** A folder of `embedded/images` with a Dockerfile: how to build the equivalent of an official image. */
export interface Recipe {
    readonly name: string;
    /** Version of the program inside, as its Dockerfile's label says. */
    readonly version: string;
    /** What the built image is called. It names the recipe's content, so a changed recipe is another image. */
    readonly tag: string;
}

const images = fileURLToPath(new URL("./images", import.meta.url));
const recipeLabel = "synapse-docker.recipe";
const heartbeatSeconds = 5;

/** The names of all recipes. */
export function recipeNames(): string[] {
    return readdirSync(images).filter((name) => existsSync(join(images, name, "Dockerfile")));
}

/** The recipe of that name, if there is one. */
export function findRecipe(name: string): Recipe | undefined {
    const folder = join(images, name);
    if (!existsSync(join(folder, "Dockerfile"))) return undefined;
    const version = /image\.version="(.+?)"/.exec(readFileSync(join(folder, "Dockerfile"), "utf8"))?.[1];
    if (version === undefined)
        throw new Error(`${folder}/Dockerfile has no org.opencontainers.image.version label`);
    // What an image is built on is part of what it is.
    const hash = hashOfFolder(folder, baseTag());
    return { name, version, tag: `synapse-docker/${name}:${version}-${hash}` };
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

/**
 * Builds the recipe's image. The tag appears in one step at the very end, so neither an interruption nor a
 * second build at the same time leaves a tag on half an image.
 */
export async function build(docker: Docker, recipe: Recipe, log: Log): Promise<void> {
    await ensureBase(docker, log);
    const progress = startProgress(recipe.name, log);
    try {
        const context = contextOf(join(images, recipe.name));
        // The first-generation builder, which every engine has: the other one needs the buildx plugin.
        const events = await docker.buildImage(context, {
            t: recipe.tag,
            rm: true,
            forcerm: true,
            // The build downloads; the host's network is the one known to reach something.
            networkmode: "host",
            buildargs: { BASE: baseTag(), ...proxies() },
            labels: { [recipeLabel]: recipe.tag },
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

/** Whether the engine has an image of that name. */
export async function present(docker: Docker, reference: string): Promise<boolean> {
    try {
        await docker.getImage(reference).inspect();
        return true;
    } catch (error) {
        if ((error as { statusCode?: number }).statusCode === 404) return false;
        throw error;
    }
}

/** One JSON object of the engine's progress stream. */
export interface EngineEvent {
    readonly stream?: string;
    readonly status?: string;
    readonly error?: string;
    readonly id?: string;
    readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

export async function* eventsOf(stream: NodeJS.ReadableStream): AsyncGenerator<EngineEvent> {
    for await (const line of createInterface({ input: stream })) {
        if (line.trim() !== "") yield JSON.parse(line) as EngineEvent;
    }
}

function baseTag(): string {
    return `synapse-docker/base:trixie-${hashOfFolder(join(images, "base"))}`;
}

let base: Promise<void> | undefined;

/** The image that all recipes start from. Made once, however many builds of this process wait for it. */
function ensureBase(docker: Docker, log: Log): Promise<void> {
    base ??= makeBase(docker, log);
    return base;
}

async function makeBase(docker: Docker, log: Log): Promise<void> {
    const tag = baseTag();
    if (await present(docker, tag)) return;
    await ensureMmdebstrap(log);

    const progress = startProgress("base", log);
    // Its standard input ends with this process: an interrupted run leaves nothing working behind it.
    const maker = spawn("sh", [join(images, "base", "make.sh")], { stdio: "pipe" });
    try {
        const exit = new Promise<number | null>((resolve) => maker.once("close", resolve));
        createInterface({ input: maker.stderr }).on("line", progress.saw);

        const changes = `LABEL ${recipeLabel}=${tag}`;
        let image: string | undefined;
        let failure: string | undefined;
        for await (const { status, error } of eventsOf(await docker.importImage(maker.stdout, { changes }))) {
            if (status?.startsWith("sha256:")) image = status;
            failure ??= error;
        }
        // Only now is it known that the archive was whole, so only now does the image get its name.
        if ((await exit) !== 0 || image === undefined) {
            if (image !== undefined) await docker.getImage(image).remove();
            throw new Error(
                `making the Debian base image failed: ${failure ?? "mmdebstrap"}\n${progress.tail()}`,
            );
        }
        const colon = tag.indexOf(":");
        await docker.getImage(image).tag({ repo: tag.slice(0, colon), tag: tag.slice(colon + 1) });
    } finally {
        maker.stdin.end();
        progress.stop();
    }
    log(`base: made ${tag} in ${progress.seconds()} s`);
}

async function ensureMmdebstrap(log: Log): Promise<void> {
    if (spawnSync("mmdebstrap", ["--version"]).status === 0) return;
    if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) {
        throw new Error(
            "building images here needs mmdebstrap. On Debian or Ubuntu: `apt-get install mmdebstrap`, or run this " +
                "as root. Elsewhere: `docker save` the images on a machine that reaches their registry, and " +
                "`docker load` them here.",
        );
    }
    log("base: installing mmdebstrap");
    const install =
        "apt-get update && apt-get install -y --no-install-recommends mmdebstrap debian-archive-keyring";
    const apt = spawn("sh", ["-c", `exec 2>&1; ${install}`], {
        stdio: ["ignore", "pipe", "inherit"],
        env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
    const exit = new Promise<number | null>((resolve) => apt.once("close", resolve));
    const output = await text(apt.stdout);
    if ((await exit) !== 0) throw new Error(`apt-get could not install mmdebstrap:\n${output.trim()}`);
}

interface File {
    readonly name: string;
    readonly mode: number;
    readonly content: Buffer;
}

function filesOf(folder: string): File[] {
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

/** Says every few seconds what a long piece of work is at, and keeps its last lines for when it fails. */
function startProgress(name: string, log: Log) {
    const started = Date.now();
    const seconds = () => Math.round((Date.now() - started) / 1000);
    const lines: string[] = [];
    const timer = setInterval(() => {
        log(`${name}: ${lines.at(-1)?.slice(0, 100) ?? "waiting"} (${seconds()} s)`);
    }, heartbeatSeconds * 1000);
    return {
        seconds,
        saw: (output: string) => {
            lines.push(...output.split(/[\r\n]+/).filter((line) => line.trim() !== ""));
            lines.splice(0, lines.length - 30);
        },
        tail: () => lines.join("\n"),
        stop: () => clearInterval(timer),
    };
}
