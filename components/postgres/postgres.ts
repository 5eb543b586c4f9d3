import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { serviceContainer } from "../docker/container.ts";
import { FileVolume } from "../docker/files.ts";
import { onUpdate } from "../docker/on-update.ts";
import { script } from "../docker/script.ts";
import type { Stack } from "../docker/stack.ts";
import { task } from "../docker/task.ts";
import { dataVolume } from "../docker/volume.ts";
import { PG_IDENT_CONF, pgHbaConf, postgresqlConf, sharedMemory } from "./conf.ts";
import { type DatabaseConnection, libpqEnvironment, POSTGRES_USER, SECRETS } from "./connection.ts";
import { layoutOf } from "./layout.ts";
import {
    copyStep,
    letInStep,
    MAJOR,
    refusalOfNewer,
    UPGRADE,
    type UpgradeArgs,
    type WriterArgs,
} from "./upgrade.ts";

/** What {@link Postgres} needs to know. */
export interface PostgresArgs {
    /** Prefix of the stack's Docker objects. */
    readonly prefix: string;
    /** The official image on Debian, or one that is laid out as it is. */
    readonly image: pulumi.Input<string>;
    /** Major version of the image. */
    readonly major: number;
    /** Whether data of an older major is copied to it. */
    readonly upgrade: boolean;
    readonly writer: WriterArgs;
    /** Docker network, on which the server's name is `postgres`. */
    readonly network: pulumi.Input<string>;
    /** MiB. */
    readonly memory: number;
    /** Connections that the server's own processes keep open at most. */
    readonly poolSize: number;
    /** `uid:gid` of those who connect beside PostgreSQL's own user: the name of its password file → its reader. */
    readonly readers: Readonly<Record<string, string>>;
    /** How long it may take to accept queries, recovery after a crash included. */
    readonly startSeconds: number;
    /** Whether the data goes when the stack goes. */
    readonly ephemeral: boolean;
    readonly stack: Stack;
}

const DBNAME = "synapse";
const ROLE = "synapse";
const PORT = 5432;

/**
 * PostgreSQL for one homeserver. Its data is on a volume that outlives the container; its password is made on the
 * Docker host, and is in files on a volume that only those who connect mount, and nowhere else.
 */
export class Postgres extends pulumi.ComponentResource {
    /** How it is reached from the stack's network. */
    readonly connection: DatabaseConnection;
    /** Changes whenever the server's container is another one. */
    readonly containerId: pulumi.Output<string>;
    /** Name of the volume with the data. */
    readonly volumeName: pulumi.Output<string>;

    constructor(name: string, args: PostgresArgs, opts?: pulumi.ComponentResourceOptions) {
        super("synapse:index:Postgres", name, {}, opts);
        const { mount, data } = layoutOf(args.major);

        // The only copy of every user, room and message.
        const volume = dataVolume(
            `${name}-volume`,
            { name: `${args.prefix}-postgres`, ephemeral: args.ephemeral, stack: args.stack },
            { parent: this },
        );
        // Made again from the one on the data volume.
        const secrets = new docker.Volume(
            `${name}-passwords`,
            { name: `${args.prefix}-database` },
            { parent: this },
        );
        const mounts = [
            { source: volume.name, target: mount, readOnly: false },
            { source: secrets.name, target: SECRETS, readOnly: false },
        ];
        const environment = scriptVariables(args, mount);
        const initialization = task(
            `${name}-initialization`,
            {
                image: args.image,
                script: script(import.meta.url, "initialize.sh"),
                user: "0:0",
                capabilities: ["CHOWN", "SETUID", "SETGID"],
                mounts: [...mounts, { source: args.writer.dataVolume, target: "/data" }],
                environment: {
                    ...environment,
                    [UPGRADE]: args.upgrade ? "yes" : "no",
                    SETTLING: args.writer.settling,
                    READERS: Object.entries({ postgres: POSTGRES_USER, ...args.readers })
                        .map((reader) => reader.join("="))
                        .join("\n"),
                },
            },
            args.stack,
            { parent: this, hooks: onUpdate(`${name}-newer`, refusalOfNewer) },
        );
        const upgrade: UpgradeArgs = { ...args, checked: initialization.stdout };

        const config = new FileVolume(
            `${name}-config`,
            {
                prefix: `${args.prefix}-postgres-config`,
                image: args.image,
                files: [
                    { name: "postgresql.conf", content: postgresqlConf(args) },
                    { name: "pg_hba.conf", content: pgHbaConf({ dbname: DBNAME, user: ROLE }) },
                    { name: "pg_ident.conf", content: PG_IDENT_CONF },
                ],
                stack: args.stack,
            },
            { parent: this },
        );

        this.connection = {
            host: "postgres",
            port: PORT,
            dbname: DBNAME,
            user: ROLE,
            // It never leaves the stack's network.
            sslmode: "disable",
            sslrootcert: undefined,
            secrets: { source: secrets.name, target: SECRETS },
        };
        // While the older server still runs, which the container replaces.
        const copy = copyStep(
            `${name}-upgrade`,
            upgrade,
            {
                ...args,
                mounts,
                environment: { ...environment, ...libpqEnvironment(this.connection, "postgres") },
            },
            { parent: this, dependsOn: [initialization] },
        );
        const { container, ready } = serviceContainer(
            `${name}-container`,
            {
                name: `${args.prefix}-postgres`,
                image: args.image,
                user: POSTGRES_USER,
                entrypoint: ["postgres", "-D", data, "-c", "config_file=/config/postgresql.conf"],
                environment: libpqEnvironment({ ...this.connection, host: "127.0.0.1" }, "postgres"),
                mounts: [
                    { source: volume.name, target: mount, readOnly: false },
                    { source: config.volumeName, target: "/config" },
                    this.connection.secrets,
                ],
                tmpfs: { "/var/run/postgresql": 1 },
                sharedMemory: sharedMemory(args.memory),
                network: { name: args.network, aliases: ["postgres"] },
                health: {
                    // pg_isready says yes to whoever asks, and during initialisation.
                    command: ["psql", "--no-psqlrc", "--quiet", "--command=SELECT 1", "--output=/dev/null"],
                    interval: 10,
                    startPeriod: 59,
                    patience: args.startSeconds,
                },
                memory: args.memory,
                // Clients are told, and what they wrote is on the disk: the image's own word for it. SIGTERM waits for them.
                stopSignal: "SIGINT",
                // Time for the last checkpoint.
                stopGracePeriod: 120,
            },
            args.stack,
            { parent: this, dependsOn: [initialization, config, copy] },
        );
        letInStep(`${name}-let-in`, upgrade, { parent: this, dependsOn: [ready] });

        this.containerId = container.id;
        this.volumeName = volume.name;
        this.registerOutputs({ containerId: this.containerId, volumeName: this.volumeName });
    }
}

/** What the scripts that write to the data volume read. */
function scriptVariables({ major, writer }: PostgresArgs, mount: string): Readonly<Record<string, string>> {
    return {
        MOUNT: mount,
        [MAJOR]: String(major),
        OWNER: POSTGRES_USER,
        COPIED: writer.copied,
        LOCK: writer.lock,
        SERVER_USER: writer.user,
        CLUSTER: script(import.meta.url, "cluster.sh"),
        DBNAME,
        ROLE,
    };
}
