import { z } from "zod";
import { front } from "./front.ts";
import type { Given } from "./schema.ts";
import type { Tls } from "./tls/tls.ts";

/** Image references of everything that a stack may run. */
export type Images = Readonly<Record<"synapse" | "nginx" | "certbot" | "restic", string>>;

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
        restic: image().default("restic/restic:0.19.1").describe("restic, the official image."),
    })
    .prefault({})
    .describe("Container images.");

export function completeImages({ images, tls }: Pick<Given, "images" | "tls">): Images {
    return { ...images, certbot: images.certbot ?? officialCertbot(tls) };
}

/** Each DNS plugin has an image of its own. */
function officialCertbot(tls: Tls): string {
    const plugin = tls.mode === "acme" && tls.challenge.type === "dns-01" ? tls.challenge.plugin : undefined;
    return `certbot/${plugin === undefined ? "certbot" : `dns-${plugin}`}:v5.6.0`;
}

/** Image references of what runs, and of nothing else. */
export type UsedImages = Pick<Images, "synapse"> & Partial<Images>;

/** The images that a stack of these settings runs. */
export function usedImages(settings: {
    readonly images: Images;
    readonly tls: Tls;
    readonly backup?: unknown;
}): UsedImages {
    const { synapse, nginx, certbot, restic } = settings.images;
    const { tls } = settings;
    return {
        synapse,
        ...(front({ tls }) === "proxy" && { nginx }),
        ...(tls.mode === "acme" && { certbot }),
        ...(settings.backup !== undefined && { restic }),
    };
}
