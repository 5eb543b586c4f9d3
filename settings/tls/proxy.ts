import { isIP } from "node:net";
import { z } from "zod";
import { isHost, isLoopback } from "../../hosts.ts";
import type { FieldFault } from "../faults.ts";
import type { Given } from "../schema.ts";
import { type Written, writtenAt } from "../written.ts";

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

/** What does not go together with a proxy of the operator's. */
export function behindProxyFaults(
    { listenAddresses, ports, publicHost, tls }: Given,
    { federation }: Written,
): FieldFault[] {
    if (tls.mode !== "proxy") return [];
    const { host = "", port } = publicUrlParts(tls.publicUrl) ?? {};
    const unpublished = (["https", "federation"] as const).filter((use) => ports[use] !== undefined);
    const open = (listenAddresses.public ?? []).filter((address) => !isLoopback(address));
    // As it was written: where it was left out, the default is that of another mode.
    const federationPort = writtenAt(federation, "port");
    return [
        ...(publicHost === undefined || publicHost === host
            ? []
            : [
                  {
                      key: "publicHost",
                      got: JSON.stringify(publicHost),
                      wanted: `nothing, or ${host} as in tls.publicUrl`,
                      fix: "pulumi config rm synapse:publicHost, or another tls.publicUrl",
                  },
              ]),
        ...unpublished.map((use) => ({
            key: `ports.${use}`,
            got: String(ports[use]),
            wanted: "nothing: in tls.mode proxy ports.http is the only port of nginx's, and tls.publicUrl names your proxy's",
            fix: `pulumi config rm --path synapse:ports.${use}`,
        })),
        ...(federationPort === undefined || Number(federationPort) === 443 || Number(federationPort) === port
            ? []
            : [
                  {
                      key: "federation.port",
                      got: JSON.stringify(federationPort),
                      wanted: `nothing: other servers come by the port of tls.publicUrl, ${port}`,
                      fix: "pulumi config rm --path synapse:federation.port",
                  },
              ]),
        ...(tls.trustedProxies === undefined && open.length > 0
            ? [
                  {
                      key: "tls.trustedProxies",
                      got: "nothing",
                      wanted: `the addresses of your proxy: others reach ${open.join(", ")} too, and are not to say for themselves who they are`,
                      fix: "pulumi config set --path 'synapse:tls.trustedProxies[0]' <address>, or publish on 127.0.0.1 alone",
                  },
              ]
            : []),
    ];
}
