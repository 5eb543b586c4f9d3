import * as pulumi from "@pulumi/pulumi";
import { unlessAtWork } from "../docker/at-work.ts";
import { internalPorts, publishedPort, serviceContainer } from "../docker/container.ts";
import { loopbackWarning } from "../docker/engine-version.ts";
import { FileVolume } from "../docker/files.ts";
import { script } from "../docker/script.ts";
import { SecretFiles } from "../docker/secret-files.ts";
import type { Stack } from "../docker/stack.ts";
import { task } from "../docker/task.ts";
import { compiledDirectory } from "./data.ts";
import { databaseSteps, type ServerDatabase } from "./database.ts";
import { type DumpArgs, dumpStep } from "./dump.ts";
import { DATABASE, databaseGuard } from "./guard.ts";
import { type HomeserverArgs, homeserverYaml, logConfig, secretYaml } from "./homeserver.ts";
import { dataMounts, kindOf, MOVING_LOCK, PORTS, replacingDigest, synapseService } from "./service.ts";
import { SYNAPSE_USER } from "./user.ts";

/** What {@link Synapse} needs to know. */
export interface SynapseArgs extends Omit<HomeserverArgs, "listen" | "metricsPort" | "database"> {
    /** Prefix of the stack's Docker objects; the server's container has this very name. */
    readonly prefix: string;
    readonly image: pulumi.Input<string>;
    /** The image as the settings name it, for messages. */
    readonly imageReference: string;
    /** PostgreSQL; SQLite on the data volume without it. */
    readonly database: ServerDatabase | undefined;
    /** Dumps before another image runs; none when undefined. */
    readonly dump: DumpArgs | undefined;
    /** Volume with the server's identity and data. */
    readonly dataVolume: pulumi.Input<string>;
    /** How often the signing key has been replaced: with one more, the server starts with another key. */
    readonly keyRotation: number;
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
    readonly upstream = `synapse:${PORTS.http}`;

    constructor(name: string, args: SynapseArgs, opts?: pulumi.ComponentResourceOptions) {
        super("synapse:index:Synapse", name, {}, opts);

        const options = renderedOptions(args);
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
                    { name: "switch-key.py", content: script(import.meta.url, "switch-key.py") },
                ],
                stack: args.stack,
            },
            { parent: this },
        );

        const secrets =
            Object.keys(args.secretConfig).length === 0
                ? undefined
                : new SecretFiles(
                      `${name}-secrets`,
                      {
                          volumeName: `${args.prefix}-secrets`,
                          image: args.image,
                          files: { "homeserver.yaml": secretYaml(options, args.secretConfig) },
                          owner: SYNAPSE_USER,
                          stack: args.stack,
                      },
                      { parent: this },
                  );
        const secretMounts = secrets === undefined ? [] : [secrets.mount];
        const secretPath =
            secrets === undefined ? "" : pulumi.interpolate`${secrets.directory}/homeserver.yaml`;

        const service = synapseService(args, { volume: config.volumeName, secretMounts, secretPath });
        const { data, compiled } = dataMounts(args);
        const check = task(
            `${name}-check`,
            {
                image: args.image,
                script: script(import.meta.url, "check.sh"),
                user: SYNAPSE_USER,
                mounts: [data, compiled, ...secretMounts],
                environment: {
                    SECRET_CONFIG: secretPath,
                    PYTHONPYCACHEPREFIX: compiledDirectory(args.image),
                    [DATABASE]: kindOf(args),
                    MOVING_LOCK,
                },
                // Here a preview shows what changes in it, line by line.
                stdin: homeserver,
                // On this machine alone: whatever replaces the container is reason enough to look at it first.
                beforehand: unlessAtWork(args.prefix, replacingDigest(service)),
            },
            args.stack,
            {
                parent: this,
                hooks: isOnLoopback(args) ? loopbackWarning(name, args.stack.environment) : {},
            },
        );
        const before = { parent: this, dependsOn: [check, config] };
        const prepared =
            args.database === undefined
                ? args.dump && dumpStep(name, args, args.dump, before)
                : databaseSteps(name, args, args.database, before);
        // Where the data is, it is when the server runs there: an update that failed before has moved nothing.
        const whenReady = { environment: { [DATABASE]: kindOf(args) }, hooks: databaseGuard(name) };
        const { container, ready } = serviceContainer(
            `${name}-container`,
            { ...service, whenReady },
            args.stack,
            {
                parent: this,
                dependsOn: [check, config, prepared].filter((step) => step !== undefined),
            },
        );

        secrets?.removeOthers(`${name}-old-secrets`, { parent: this, dependsOn: [ready] });

        this.containerId = container.id;
        this.httpPort = publishedPort(container, PORTS.http);
        this.tlsPort = args.tlsListener === undefined ? undefined : publishedPort(container, PORTS.tls);
        this.registerOutputs({
            containerId: this.containerId,
            httpPort: this.httpPort,
            tlsPort: this.tlsPort,
        });
    }
}

function renderedOptions(args: SynapseArgs): HomeserverArgs {
    return {
        ...args,
        database: args.database?.connection,
        listen: {
            http: internalPorts(PORTS.http, args.addresses.length),
            tls: internalPorts(PORTS.tls, args.tlsListener?.addresses.length ?? 0),
        },
        metricsPort: args.announceVolume === undefined ? undefined : PORTS.metrics,
    };
}

function isOnLoopback({ port, addresses }: SynapseArgs): boolean {
    return port !== "off" && addresses.some((address) => address.startsWith("127."));
}
