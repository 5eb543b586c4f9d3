import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import type Docker from "dockerode";
import { eventsOf, present } from "./docker.ts";
import { type Log, startProgress } from "./progress.ts";
import { BASE_FOLDER, baseTag, LABEL } from "./recipes.ts";

let base: Promise<void> | undefined;

/** The image that all recipes start from. Made once, however many builds of this process wait for it. */
export function ensureBase(docker: Docker, log: Log): Promise<void> {
    base ??= makeBase(docker, log);
    return base;
}

async function makeBase(docker: Docker, log: Log): Promise<void> {
    const tag = baseTag();
    if (await present(docker, tag)) return;
    await ensureMmdebstrap(log);

    const progress = startProgress("base", log);
    // Its standard input ends with this process: an interrupted run leaves nothing working behind it.
    const maker = spawn("sh", [join(BASE_FOLDER, "make.sh")], { stdio: "pipe" });
    try {
        const exit = new Promise<number | null>((resolve) => maker.once("close", resolve));
        createInterface({ input: maker.stderr }).on("line", progress.saw);

        const changes = `LABEL ${LABEL}=${tag}`;
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
