import { z } from "zod";
import { completeDatabase, type Database } from "./database.ts";
import { front } from "./front.ts";
import type { Given } from "./schema.ts";
import type { Tls } from "./tls/tls.ts";

/** Image references of everything that a stack may run. */
export type Images = Readonly<Record<"synapse" | "nginx" | "certbot" | "postgres" | "restic", string>>;

const image = () =>
    z
        .string({ error: "an image reference" })
        .regex(/^[a-z0-9][a-zA-Z0-9._\-/:@]*$/, { error: "an image reference, e.g. nginx:1.30.0" });

export const images = z
    .strictObject({
        synapse: image()
            .default("ghcr.io/element-hq/synapse:v1.163.2")
            .describe("Synapse, the official image."),
        nginx: image().default("nginx:1.30.0").describe("nginx, the official image."),
        certbot: image()
            .optional()
            .describe(
                "certbot, the official image. `certbot/certbot:v5.6.0` when left out, or `certbot/dns-<plugin>:v5.6.0`.",
            ),
        postgres: image()
            .optional()
            .describe(
                "PostgreSQL, the official image on Debian, of the major that `database.version` says. `postgres:17.9-trixie` when left out.",
            ),
        restic: image().default("restic/restic:0.19.1").describe("restic, the official image."),
    })
    .prefault({})
    .describe("Container images.");

export function completeImages(given: Pick<Given, "database" | "ephemeral" | "images" | "tls">): Images {
    const { images, tls } = given;
    return {
        ...images,
        certbot: images.certbot ?? officialCertbot(tls),
        postgres: images.postgres ?? officialPostgres(completeDatabase(given)),
    };
}

/** The newest of each major; the data of one base's `C` locale is the same on another. */
const POSTGRES = {
    14: "14.22",
    15: "15.17",
    16: "16.13",
    17: "17.9",
    18: "18.3",
} as const;

function officialPostgres(database: Database): string {
    return `postgres:${POSTGRES[database.kind === "postgres" ? database.version : 17]}-trixie`;
}

/** Each DNS plugin has an image of its own. */
function officialCertbot(tls: Tls): string {
    const plugin = tls.mode === "acme" && tls.challenge.type === "dns-01" ? tls.challenge.plugin : undefined;
    return `certbot/${plugin === undefined ? "certbot" : `dns-${plugin}`}:v5.6.0`;
}

/** Image references of what runs, and of nothing else. */
export type UsedImages = Pick<Images, "synapse"> & Partial<Images>;

/** The images that a stack of these settings runs. */
export function usedImages({
    backup,
    database,
    images,
    tls,
}: {
    readonly backup?: unknown;
    readonly database: Database;
    readonly images: Images;
    readonly tls: Tls;
}): UsedImages {
    const { synapse, nginx, certbot, postgres, restic } = images;
    const hasNginx = front({ tls }) === "proxy";
    return {
        synapse,
        ...(hasNginx && { nginx }),
        ...(hasNginx && tls.mode === "acme" && { certbot }),
        // Of another's PostgreSQL it has the tools.
        ...(database.kind !== "sqlite" && { postgres }),
        ...(backup !== undefined && { restic }),
    };
}
