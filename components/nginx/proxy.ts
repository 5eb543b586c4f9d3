import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import {
    internalPorts,
    type PublishedPortArgs,
    publishedPort,
    serviceContainer,
} from "../docker/container.ts";
import { FileVolume } from "../docker/files.ts";
import { script } from "../docker/script.ts";
import type { Stack } from "../docker/stack.ts";
import { task } from "../docker/task.ts";
import { nginxConf } from "./conf.ts";
import type { NginxConfArgs } from "./conf-args.ts";
import { PATHS } from "./paths.ts";
import { NGINX_USER } from "./user.ts";

/** What {@link NginxProxy} needs to know. */
export interface NginxProxyArgs extends Omit<NginxConfArgs, "listen" | "acmeChallenges" | "holdScript"> {
    /** Prefix of the stack's Docker objects. */
    readonly prefix: string;
    readonly image: pulumi.Input<string>;
    readonly network: pulumi.Input<string>;
    /** Volume with `current/fullchain.pem` and `current/privkey.pem`, readable by nginx's user; without `trustedProxies`. */
    readonly certificatesVolume?: pulumi.Input<string> | undefined;
    /** Volume on which Synapse announces its restarts. */
    readonly announceVolume?: pulumi.Input<string> | undefined;
    /** Volume with certbot's answers to challenges, which port 80 then serves. */
    readonly webrootVolume?: pulumi.Input<string> | undefined;
    /** Port on the Docker host for plain HTTP; Docker picks one when undefined. */
    readonly httpPort: number | undefined;
    /** Addresses of the Docker host that the ports are published on. */
    readonly addresses: readonly string[];
    readonly stack: Stack;
}

const ALIAS = "nginx";
const HTTP_PORT = 80;
const HTTPS_PORT = 443;
const FEDERATION_PORT = 8448;

/**
 * What the world talks to. A changed nginx.conf or certificate is tested and taken up by the running nginx; only
 * another image, port or program version replaces the container.
 */
export class NginxProxy extends pulumi.ComponentResource {
    /** Where TLS is spoken on the network: `host:port`. */
    readonly address = `${ALIAS}:${HTTPS_PORT}`;
    /** Changes whenever nginx's container or its configuration is another one. */
    readonly version: pulumi.Output<string>;
    /** Published port that redirects, or that a proxy of the operator's passes everything on to. */
    readonly httpPort: pulumi.Output<number>;
    /** Published port for clients; undefined unless nginx speaks TLS. */
    readonly httpsPort: pulumi.Output<number> | undefined;
    /** Published port for other servers; undefined unless they have one of their own. */
    readonly federationPort: pulumi.Output<number> | undefined;

    constructor(name: string, args: NginxProxyArgs, opts?: pulumi.ComponentResourceOptions) {
        super("synapse:index:NginxProxy", name, {}, opts);
        const containerName = `${args.prefix}-nginx`;
        const { image, stack } = args;

        const scripts = new FileVolume(
            `${name}-scripts`,
            {
                prefix: `${containerName}-scripts`,
                image,
                files: ["start.sh", "health.sh"].map((file) => ({
                    name: file,
                    content: script(import.meta.url, file),
                    executable: true,
                })),
                stack,
            },
            { parent: this },
        );

        // Not a FileVolume: its nginx.conf is replaced under the running nginx, which reloads it.
        const conf = new docker.Volume(`${name}-conf`, { name: `${containerName}-conf` }, { parent: this });
        // On disk, since bodies may be as large as an upload; and not the image's own directory, whose owner an empty
        // volume would take on each time.
        const buffer = new docker.Volume(
            `${name}-buffer`,
            { name: `${containerName}-buffer` },
            { parent: this },
        );
        const certificates =
            args.certificatesVolume === undefined
                ? []
                : [{ source: args.certificatesVolume, target: PATHS.certificates }];

        const holdScript = script(import.meta.url, "hold.js");
        const nginx = nginxConf({
            ...args,
            acmeChallenges: args.webrootVolume !== undefined,
            holdScript,
            listen: listenPorts(args),
        });
        const configuration = task(
            `${name}-configuration`,
            {
                image,
                script: script(import.meta.url, "configure.sh"),
                user: "0:0",
                capabilities: ["CHOWN", "DAC_OVERRIDE"],
                mounts: [
                    { source: conf.name, target: PATHS.stack, readOnly: false },
                    { source: buffer.name, target: "/disk", readOnly: false },
                    ...certificates,
                ],
                tmpfs: { "/run": 1, "/var/cache/nginx": 1, [PATHS.buffer]: 1 },
                stdin: nginx.text,
                afterwards: script(import.meta.url, "reload.sh"),
                environment: {
                    DIGEST: nginx.digest,
                    HOLD_JS: holdScript,
                    OWNER: NGINX_USER,
                    NGINX_CONTAINER: containerName,
                    READS: args.trustedProxies === undefined ? PATHS.certificates : PATHS.host,
                },
            },
            stack,
            { parent: this },
        );

        const { container } = serviceContainer(
            `${name}-container`,
            {
                name: containerName,
                image,
                // All of nginx, its master too: below port 1024 it may listen, and its certificates are its own copy.
                user: NGINX_USER,
                entrypoint: ["/bin/sh", "/scripts/start.sh"],
                mounts: [
                    { source: scripts.volumeName, target: "/scripts" },
                    { source: conf.name, target: PATHS.stack },
                    { source: buffer.name, target: PATHS.buffer, readOnly: false },
                    ...certificates,
                    ...(args.webrootVolume === undefined
                        ? []
                        : [{ source: args.webrootVolume, target: PATHS.webroot }]),
                    ...(args.announceVolume === undefined
                        ? []
                        : [{ source: args.announceVolume, target: PATHS.announce }]),
                ],
                tmpfs: { "/run": 4, "/var/cache/nginx": 4 },
                network: { name: args.network, aliases: [ALIAS] },
                ports: publishedPorts(args),
                health: {
                    command: ["/bin/sh", "/scripts/health.sh"],
                    interval: 5,
                    startPeriod: 5,
                    patience: 60,
                },
                memory: args.memory,
                stopGracePeriod: 30,
            },
            stack,
            { parent: this, dependsOn: [scripts, configuration] },
        );

        this.version = pulumi.interpolate`${container.id}/${nginx.digest}`;
        this.httpPort = publishedPort(container, HTTP_PORT);
        this.httpsPort = args.trustedProxies === undefined ? publishedPort(container, HTTPS_PORT) : undefined;
        this.federationPort =
            args.federation === "apart" ? publishedPort(container, FEDERATION_PORT) : undefined;
        this.registerOutputs({
            version: this.version,
            httpPort: this.httpPort,
            httpsPort: this.httpsPort,
            federationPort: this.federationPort,
        });
    }
}

function listenPorts({ addresses, federation, trustedProxies }: NginxProxyArgs): NginxConfArgs["listen"] {
    const encrypts = trustedProxies === undefined;
    return {
        http: internalPorts(HTTP_PORT, addresses.length),
        https: encrypts ? internalPorts(HTTPS_PORT, addresses.length) : [],
        federation:
            encrypts && federation === "apart" ? internalPorts(FEDERATION_PORT, addresses.length) : [],
    };
}

function publishedPorts(args: NginxProxyArgs): PublishedPortArgs[] {
    const { addresses, federation, http3 } = args;
    const http = { internal: HTTP_PORT, external: args.httpPort, addresses };
    if (args.trustedProxies !== undefined) return [http];
    const https = { internal: HTTPS_PORT, external: args.httpsPort, addresses };
    return [
        http,
        https,
        ...(http3 ? [{ ...https, protocol: "udp" as const }] : []),
        ...(federation === "apart"
            ? [{ internal: FEDERATION_PORT, external: args.federationPort, addresses }]
            : []),
    ];
}
