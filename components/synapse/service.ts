import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type { MountArgs, PublishedPortArgs, ServiceContainerArgs } from "../docker/container.ts";
import { ANNOUNCEMENT } from "./announcement.ts";
import { COMPILED, compiledDirectory } from "./data.ts";
import { DATABASE, KEY_ROTATION } from "./guard.ts";
import { PATHS } from "./homeserver.ts";
import type { SynapseArgs } from "./server.ts";
import { SYNAPSE_USER } from "./user.ts";

/** Ports inside the container. */
export const PORTS = { http: 8008, tls: 8448, metrics: 9000 } as const;

/** On the data volume, while data is being moved from SQLite to PostgreSQL. */
export const MOVING = "/data/.moving-to-postgres";

/** Beside it: who moves or copies the data holds its lock, and a server shares it. */
export const MOVING_LOCK = "/data/.moving.lock";

/** There while the data has been copied to another major of PostgreSQL, where the server is not let in yet; then until it was healthy there. */
export const UPGRADED = { copied: "/data/.postgres-copied", settling: "/data/.postgres-settling" } as const;

/** Where the server's data is, for its start script and for the check before it. */
export function kindOf({ database }: Pick<SynapseArgs, "database">): "postgres" | "sqlite" {
    return database === undefined ? "sqlite" : "postgres";
}

/** What the server reads, as its component laid it out. */
export interface ConfigurationArgs {
    /** Volume with homeserver.yaml, log.config and start.sh. */
    readonly volume: pulumi.Input<string>;
    /** Volumes with the secret layer; none without one. */
    readonly secretMounts: readonly MountArgs[];
    /** File of the secret layer; empty without one. */
    readonly secretPath: pulumi.Input<string>;
}

/** How the server's container runs. */
export function synapseService(args: SynapseArgs, configuration: ConfigurationArgs): ServiceContainerArgs {
    return {
        name: args.prefix,
        image: args.image,
        user: SYNAPSE_USER,
        entrypoint: ["/bin/sh", "/config/start.sh"],
        environment: {
            SIGNING_KEY: PATHS.signingKey(args.serverName),
            [KEY_ROTATION]: String(args.keyRotation),
            CERTIFICATE: args.front === "tls" ? PATHS.certificate : "",
            HTTP_PORT: String(PORTS.http),
            PYTHONPYCACHEPREFIX: compiledDirectory(args.image),
            METRICS_PORT: String(PORTS.metrics),
            ANNOUNCE: args.announceVolume === undefined ? "" : ANNOUNCEMENT.file,
            SECRET_CONFIG: configuration.secretPath,
            [DATABASE]: kindOf(args),
            MOVING,
            MOVING_LOCK,
            COPIED: UPGRADED.copied,
            SETTLING: UPGRADED.settling,
        },
        mounts: mounts(args, configuration),
        // Uploads pass through it; when it is too small they fail without an HTTP status.
        tmpfs: { "/tmp": 64 + 4 * mebibytes(args.maxUploadSize) },
        network: { name: args.network, aliases: ["synapse"] },
        ports: publishedPorts(args),
        health: {
            command: [
                "curl",
                "-fsS",
                "--max-time",
                "4",
                "-o",
                "/dev/null",
                `http://127.0.0.1:${PORTS.http}/health`,
            ],
            interval: 5,
            startPeriod: 59,
            patience: args.startSeconds,
            ...(args.dump === undefined ? {} : { advice: ROLLBACK }),
        },
        memory: args.memory,
        stopGracePeriod: 60,
    };
}

const ROLLBACK =
    "If another Synapse image ran until now: set synapse:images.synapse back to it. If the database cannot go back, " +
    "`npm run rollback` puts back the dump that was made before (docs/upgrade.md#going-back).";

/** Twelve hexadecimal digits that change with whatever replaces the container. */
export function replacingDigest({
    memory: _,
    health,
    ...service
}: ServiceContainerArgs): pulumi.Output<string> {
    const { patience: __, advice: ___, ...replacing } = health;
    return pulumi
        .output({ ...service, health: replacing })
        .apply((known) => createHash("sha256").update(JSON.stringify(known)).digest("hex").slice(0, 12));
}

/** Where the server's data and Python's compiled files are: for the server, and for the check before it. */
export function dataMounts({ compiledVolume, dataVolume }: SynapseArgs) {
    return {
        data: { source: dataVolume, target: "/data" },
        compiled: { source: compiledVolume, target: COMPILED },
    };
}

function mounts(args: SynapseArgs, { secretMounts, volume }: ConfigurationArgs): MountArgs[] {
    const { data, compiled } = dataMounts(args);
    return [
        { ...data, readOnly: false },
        ...(args.announceVolume === undefined
            ? []
            : [{ source: args.announceVolume, target: ANNOUNCEMENT.directory, readOnly: false }]),
        { source: volume, target: "/config" },
        ...(args.database === undefined ? [] : [args.database.connection.secrets]),
        ...secretMounts,
        compiled,
        ...(args.certificatesVolume === undefined
            ? []
            : [{ source: args.certificatesVolume, target: "/certificates" }]),
    ];
}

function publishedPorts({ addresses, port, tlsListener }: SynapseArgs): PublishedPortArgs[] {
    return [
        ...(port === "off" ? [] : [{ internal: PORTS.http, external: port, addresses }]),
        ...(tlsListener === undefined
            ? []
            : [{ internal: PORTS.tls, external: tlsListener.port, addresses: tlsListener.addresses }]),
    ];
}

/** `50M` → 50, `512K` → 1. */
function mebibytes(size: string): number {
    const count = Number.parseInt(size, 10);
    return size.endsWith("K") ? Math.ceil(count / 1024) : count;
}
