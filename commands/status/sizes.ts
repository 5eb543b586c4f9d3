import { readFileSync } from "node:fs";
import { docker } from "../docker.ts";
import type { Server } from "../server.ts";

/** Bytes of what a server keeps. Null: it could not be asked. */
export interface Sizes {
    readonly database: { readonly kind: "sqlite" | "postgres"; readonly bytes: number } | null;
    readonly media: {
        /** Uploaded by this server's users. */
        readonly local: number;
        /** Copies of other servers' files. */
        readonly remote: number;
    } | null;
}

/** Every file of the media is looked at for it. */
const PATIENCE_MS = 20_000;

const SCRIPT = readFileSync(new URL("sizes.py", import.meta.url), "utf8");

/**
 * Asks in Synapse's container, which reaches its database, wherever that is, and has its password in a file; undefined
 * while it does not run.
 */
export async function sizesOf({ containerName, dockerHost }: Server): Promise<Sizes | undefined> {
    const asked = await docker(dockerHost, ["exec", containerName, "python3", "-Bc", SCRIPT], {
        patience: PATIENCE_MS,
    });
    return asked.code === 0 ? (JSON.parse(asked.stdout) as Sizes) : undefined;
}
