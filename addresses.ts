import { isIP } from "node:net";
import type { CertificateSource } from "./components/certificates/certificates.ts";
import type { HomeserverArgs } from "./components/synapse/homeserver.ts";
import type { Settings } from "./settings.ts";
import { DIRECTORIES } from "./settings-schema.ts";

/** What follows from the settings about names, ports and who speaks TLS: plain functions of plain values. */

type TlsSettings = Pick<Settings, "publicHost" | "tls">;

/** Who stands before Synapse. */
export function front({ tls }: Pick<Settings, "tls">): HomeserverArgs["front"] {
    if (tls.mode === "none") return "none";
    return tls.mode === "synapse" ? "tls" : "proxy";
}

/** The images that a stack of these settings runs. */
export function usedImages({ images, tls }: Pick<Settings, "images" | "tls">): Record<string, string> {
    const { synapse, nginx, certbot } = images;
    if (front({ tls }) !== "proxy") return { synapse };
    return tls.mode === "acme" ? { synapse, nginx, certbot } : { synapse, nginx };
}

/** Where the certificate comes from; undefined without TLS. */
export function certificateSource({ publicHost, tls }: TlsSettings): CertificateSource | undefined {
    if (tls.mode === "none") return undefined;
    if (tls.mode === "local-ca") return { mode: "local-ca" };
    if (tls.mode === "acme") return tls;
    // certbot's own layout.
    const live = {
        certificate: `live/${publicHost}/fullchain.pem`,
        privateKey: `live/${publicHost}/privkey.pem`,
    };
    if (tls.mode === "letsencrypt") return { mode: "host", directory: tls.directory, ...live };
    return {
        mode: "host",
        directory: tls.directory,
        certificate: tls.certificate ?? live.certificate,
        privateKey: tls.privateKey ?? live.privateKey,
    };
}

/** Whether the certificate comes from a CA that machines trust: a staging or private ACME server's does not. */
export function isTrusted(settings: TlsSettings): boolean {
    const source = certificateSource(settings);
    return source?.mode !== "acme" || source.server === DIRECTORIES.production;
}

/** Base URL of the client API, without a slash at the end. */
export function clientBaseUrl(
    settings: Pick<Settings, "publicHost" | "tls">,
    port: number | undefined,
): string {
    switch (front(settings)) {
        case "none":
            return `http://${settings.publicHost}:${port ?? 8008}`;
        case "tls":
            return `https://${settings.publicHost}:${port ?? 8448}`;
        case "proxy":
            return `https://${settings.publicHost}${port === undefined || port === 443 ? "" : `:${port}`}`;
    }
}

/** The port of the settings that clients connect to; undefined where Docker picks it. */
export function clientPort({ ports, tls }: Pick<Settings, "ports" | "tls">): number | undefined {
    return { none: ports.synapse, tls: ports.federation, proxy: ports.https }[front({ tls })];
}

/** The DNS records that should exist, and the delegation that another `publicHost` needs. */
export function dnsRecords({
    serverName,
    publicHost,
}: Pick<Settings, "serverName" | "publicHost">): string[] {
    if (isIP(publicHost.replace(/^\[(.*)\]$/, "$1")) !== 0 || publicHost === "localhost") return [];
    const records = [
        `${publicHost}. A <IPv4 address of the Docker host>`,
        `${publicHost}. AAAA <IPv6 address of the Docker host>`,
    ];
    if (serverName === publicHost) return records;
    return [
        ...records,
        `${serverName}. as ${publicHost}., or a web server of its own that serves /.well-known/matrix/server and /.well-known/matrix/client as https://${publicHost} does`,
    ];
}
