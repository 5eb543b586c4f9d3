import { isIP } from "node:net";
import { z } from "zod";
import { isHost } from "./names.ts";

/** Stands for whatever connects from the Docker host itself: Docker shows it under one address. */
export const DOCKER_HOST_ITSELF = "host";

const PUBLIC_URL =
    "an https URL without a path, e.g. https://matrix.example.org or https://matrix.example.org:8443";
const TRUSTED =
    "a list of addresses and networks, e.g. [10.0.0.5, 172.16.0.0/12], or host for the Docker host itself";

/** A proxy of the operator's speaks TLS, and passes plain HTTP on to nginx. */
export const behindProxy = z
    .strictObject({
        mode: z.literal("proxy"),
        publicUrl: z
            .string({ error: PUBLIC_URL })
            .refine((url) => publicUrlParts(url) !== undefined, { error: PUBLIC_URL })
            .describe("Where your proxy serves clients and other servers: `https://<publicHost>[:<port>]`."),
        trustedProxies: z
            .array(z.string({ error: TRUSTED }).refine(isTrusted, { error: TRUSTED }), { error: TRUSTED })
            .min(1, { error: TRUSTED })
            .optional()
            .describe(
                "Addresses and networks of proxies whose `X-Forwarded-For` is believed; `host` is whatever connects from the Docker host itself. `[host]` when left out, and required with a `listenAddresses.public` beyond loopback.",
            ),
    })
    .describe("nginx with plain HTTP on `ports.http`, for a proxy of your own that speaks TLS.");

/** Host and port of an https URL that has nothing else; undefined for any other text. */
export function publicUrlParts(url: string): { readonly host: string; readonly port: number } | undefined {
    const [, host = "", digits = "443"] =
        /^https:\/\/(\[[^\]]*\]|[^:/?#@]+)(?::([1-9]\d{0,4}))?\/?$/.exec(url) ?? [];
    const port = Number(digits);
    return isHost(host) && port <= 65535 ? { host, port } : undefined;
}

/** An address, or a network that is not everybody's. */
function isTrusted(text: string): boolean {
    if (text === DOCKER_HOST_ITSELF) return true;
    const [, address = "", length] = /^([^/]+)(?:\/([1-9]\d{0,2}))?$/.exec(text) ?? [];
    const family = isIP(address);
    // nginx knows no zones.
    if (family === 0 || address.includes("%")) return false;
    return length === undefined || Number(length) <= (family === 4 ? 32 : 128);
}
