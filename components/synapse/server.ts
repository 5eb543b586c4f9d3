import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { unlessAtWork } from "../docker/at-work.ts";
import {
    internalPorts,
    publishedPort,
    type ServiceContainerArgs,
    serviceContainer,
} from "../docker/container.ts";
import { loopbackWarning } from "../docker/engine-version.ts";
import { FileVolume } from "../docker/files.ts";
import { script } from "../docker/script.ts";
import type { Stack } from "../docker/stack.ts";
import { task } from "../docker/task.ts";
import { COMPILED, compiledDirectory } from "./data.ts";
import { type HomeserverArgs, homeserverYaml, logConfig, PATHS, secretYaml } from "./homeserver.ts";
import { SecretConfig } from "./secret-config.ts";
import { SYNAPSE_USER } from "./user.ts";

/** What {@link Synapse} needs to know. */
export interface SynapseArgs extends Omit<HomeserverArgs, "listen" | "metricsPort"> {
    /** Prefix of the stack's Docker objects; the server's container has this very name. */
    readonly prefix: string;
    readonly image: pulumi.Input<string>;
    /** Volume with the server's identity and data. */
    readonly dataVolume: pulumi.Input<string>;
    /** Volume with Python's compiled files. */
    readonly compiledVolume: pulumi.Input<string>;
    /** Docker network, on which the server's name is `synapse`. */
    readonly network: pulumi.Input<string>;
    /** Volume on which restarts are announced to the proxy; none without one. */
    readonly announceVolume?: pulumi.Input<string> | undefined;
    /** Volume with `current/fullchain.pem` and `current/privkey.pem`; with `front: "tls"` alone. */
    readonly certificatesVolume?: pulumi.Input<string>;
    /** Options of homeserver.yaml that nobody may see. */
    readonly secretConfig: Readonly<Record<string, unknown>>;
    readonly logLevel: string;
    /** How long the server may take to answer, beside upgrades of its database. */
    readonly startSeconds: number;
    /** MiB. */
    readonly memory: number;
    /** Port on the Docker host for plain HTTP; Docker picks one when undefined, and `off` publishes none. */
    readonly port: number | "off" | undefined;
    /** Addresses of the Docker host for plain HTTP. */
    readonly addresses: readonly string[];
    /** Where TLS is published; with `front: "tls"` alone. */
    readonly tlsListener?: { readonly port: number | undefined; readonly addresses: readonly string[] };
    readonly stack: Stack;
}

const HTTP_PORT = 8008;
const TLS_PORT = 8448;
const METRICS_PORT = 9000;

/** The file that is there while the server restarts, in its container and in nginx's. */
export const ANNOUNCEMENT = { directory: "/announce", file: "/announce/restarting" } as const;

/**
 * The homeserver. Its configuration lies in a volume that never changes; other settings make another volume, which
 * Synapse itself reads and checks before the running server is replaced by one that mounts it.
 */
export class Synapse extends pulumi.ComponentResource {
    /** Changes whenever the server's container is another one. */
    readonly containerId: pulumi.Output<string>;
    /** Published port for plain HTTP. */
    readonly httpPort: pulumi.Output<number>;
    /** Published port for TLS; undefined unless Synapse speaks it. */
    readonly tlsPort: pulumi.Output<number> | undefined;
    /** Where other containers on the network reach it: `host:port`. */
    readonly upstream = `synapse:${HTTP_PORT}`;

    constructor(name: string, args: SynapseArgs, opts?: pulumi.ComponentResourceOptions) {
        super("synapse:index:Synapse", name, {}, opts);

        const listen = {
            http: internalPorts(HTTP_PORT, args.addresses.length),
            tls: internalPorts(TLS_PORT, args.tlsListener?.addresses.length ?? 0),
        };
        const options = {
            ...args,
            listen,
            metricsPort: args.announceVolume === undefined ? undefined : METRICS_PORT,
        };
        const homeserver = homeserverYaml(options);
        const config = new FileVolume(
            `${name}-config`,
            {
                prefix: `${args.prefix}-config`,
                image: args.image,
                files: [
                    { name: "homeserver.yaml", content: homeserver },
                    { name: "log.config", content: logConfig(args.logLevel) },
                    { name: "start.sh", content: script(import.meta.url, "start.sh"), executable: true },
                ],
                stack: args.stack,
            },
            { parent: this },
        );

        const secrets =
            Object.keys(args.secretConfig).length === 0
                ? undefined
                : new SecretConfig(
                      `${name}-secrets`,
                      { ...args, content: secretYaml(options, args.secretConfig) },
                      { parent: this },
                  );
        const secretMounts = secrets === undefined ? [] : [secrets.mount];
        const secretEnvironment = { SECRET_CONFIG: secrets?.path ?? "" };

        const data = { source: args.dataVolume, target: "/data" };
        const compiled = { source: args.compiledVolume, target: COMPILED };
        const readOnlyMounts = [
            { source: config.volumeName, target: "/config" },
            ...secretMounts,
            compiled,
            ...(args.certificatesVolume === undefined
                ? []
                : [{ source: args.certificatesVolume, target: "/certificates" }]),
        ];

        const service: ServiceContainerArgs = {
            name: args.prefix,
            image: args.image,
            user: SYNAPSE_USER,
            entrypoint: ["/bin/sh", "/config/start.sh"],
            environment: {
                SIGNING_KEY: PATHS.signingKey(args.serverName),
                CERTIFICATE: args.front === "tls" ? PATHS.certificate : "",
                HTTP_PORT: String(HTTP_PORT),
                PYTHONPYCACHEPREFIX: compiledDirectory(args.image),
                METRICS_PORT: String(METRICS_PORT),
                ANNOUNCE: args.announceVolume === undefined ? "" : ANNOUNCEMENT.file,
                ...secretEnvironment,
            },
            mounts: [
                { ...data, readOnly: false },
                ...(args.announceVolume === undefined
                    ? []
                    : [
                          {
                              source: args.announceVolume,
                              target: ANNOUNCEMENT.directory,
                              readOnly: false,
                          },
                      ]),
                ...readOnlyMounts,
            ],
            // Uploads pass through it; when it is too small they fail without an HTTP status.
            tmpfs: { "/tmp": 64 + 4 * mebibytes(args.maxUploadSize) },
            network: { name: args.network, aliases: ["synapse"] },
            ports: [
                ...(args.port === "off"
                    ? []
                    : [{ internal: HTTP_PORT, external: args.port, addresses: args.addresses }]),
                ...(args.tlsListener === undefined
                    ? []
                    : [
                          {
                              internal: TLS_PORT,
                              external: args.tlsListener.port,
                              addresses: args.tlsListener.addresses,
                          },
                      ]),
            ],
            health: {
                command: [
                    "curl",
                    "-fsS",
                    "--max-time",
                    "4",
                    "-o",
                    "/dev/null",
                    `http://127.0.0.1:${HTTP_PORT}/health`,
                ],
                interval: 5,
                startPeriod: 59,
                patience: args.startSeconds,
            },
            memory: args.memory,
            stopGracePeriod: 60,
        };
        const check = task(
            `${name}-check`,
            {
                image: args.image,
                script: script(import.meta.url, "check.sh"),
                user: SYNAPSE_USER,
                mounts: [data, compiled, ...secretMounts],
                environment: {
                    ...secretEnvironment,
                    PYTHONPYCACHEPREFIX: compiledDirectory(args.image),
                },
                // Here a preview shows what changes in it, line by line.
                stdin: homeserver,
                // On this machine alone: whatever replaces the container is reason enough to look at it first.
                beforehand: unlessAtWork(args.prefix, digest(service)),
            },
            args.stack,
            { parent: this, hooks: isOnLoopback(args) ? loopbackWarning(name, args.stack.environment) : {} },
        );
        const { container, ready } = serviceContainer(`${name}-container`, service, args.stack, {
            parent: this,
            dependsOn: [check, config],
        });

        secrets?.removeOthers(`${name}-old-secrets`, { parent: this, dependsOn: [ready] });

        this.containerId = container.id;
        this.httpPort = publishedPort(container, HTTP_PORT);
        this.tlsPort = args.tlsListener === undefined ? undefined : publishedPort(container, TLS_PORT);
        this.registerOutputs({
            containerId: this.containerId,
            httpPort: this.httpPort,
            tlsPort: this.tlsPort,
        });
    }
}

/** Twelve hexadecimal digits that change with whatever replaces the container. */
function digest({ memory: _, health, ...service }: ServiceContainerArgs): pulumi.Output<string> {
    const { patience: __, ...replacing } = health;
    return pulumi
        .output({ ...service, health: replacing })
        .apply((known) => createHash("sha256").update(JSON.stringify(known)).digest("hex").slice(0, 12));
}

function isOnLoopback({ port, addresses }: SynapseArgs): boolean {
    return port !== "off" && addresses.some((address) => address.startsWith("127."));
}

/** `50M` → 50, `512K` → 1. */
function mebibytes(size: string): number {
    const count = Number.parseInt(size, 10);
    return size.endsWith("K") ? Math.ceil(count / 1024) : count;
}
