import { z } from "zod";
import { front } from "./front.ts";
import type { Given } from "./schema.ts";
import type { Tls } from "./tls/tls.ts";

/** Image references of everything that a stack may run. */
export type Images = Readonly<Record<"synapse" | "nginx" | "certbot", string>>;

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

/** The images that a stack of these settings runs. */
export function usedImages({
    images,
    tls,
}: {
    readonly images: Images;
    readonly tls: Tls;
}): Record<string, string> {
    const { synapse, nginx, certbot } = images;
    if (front({ tls }) !== "proxy") return { synapse };
    return tls.mode === "acme" ? { synapse, nginx, certbot } : { synapse, nginx };
}
