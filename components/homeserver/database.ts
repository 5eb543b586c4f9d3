import type * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../../settings/settings.ts";
import type { Stack } from "../docker/stack.ts";
import { type DatabaseConnection, POSTGRES_USER } from "../postgres/connection.ts";
import { ExternalDatabase } from "../postgres/external.ts";
import { Postgres } from "../postgres/postgres.ts";
import { ANNOUNCEMENT } from "../synapse/announcement.ts";
import { POOL } from "../synapse/homeserver.ts";
import { MOVING_LOCK, UPGRADED } from "../synapse/service.ts";
import { SYNAPSE_USER } from "../synapse/user.ts";

/** What {@link databaseOf} needs to know. */
export interface DatabaseArgs {
    readonly settings: Settings;
    readonly stack: Stack;
    readonly images: {
        readonly synapse: pulumi.Output<string>;
        readonly postgres: pulumi.Output<string> | undefined;
    };
    readonly network: pulumi.Output<string>;
}

/** What of the server a database must know that it is away from. */
export interface ServerData {
    readonly volumeName: pulumi.Output<string>;
    /** Whether nginx is told of it. */
    readonly announces: boolean;
}

/** A database beside Synapse, and the component that those who use it wait for. */
export interface StackDatabase {
    readonly connection: DatabaseConnection;
    readonly component: pulumi.ComponentResource;
}

/** PostgreSQL, the stack's own or another's; undefined where the data is in SQLite. */
export function databaseOf(
    name: string,
    { settings, stack, images, network }: DatabaseArgs,
    { announces, volumeName }: ServerData,
    opts: pulumi.ComponentResourceOptions,
): StackDatabase | undefined {
    const { database, ephemeral, memory, name: prefix, startSeconds } = settings;
    if (database.kind === "external") {
        const { ca, host, name: dbname, password, port, tls, user } = database;
        const component = new ExternalDatabase(
            `${name}-database`,
            {
                prefix,
                image: images.synapse,
                network,
                host,
                port,
                dbname,
                user,
                password,
                sslmode: tls,
                ca,
                readers: { synapse: SYNAPSE_USER, postgres: POSTGRES_USER },
                stack,
            },
            opts,
        );
        return { component, connection: component.connection };
    }
    if (database.kind === "sqlite" || images.postgres === undefined) return undefined;
    const component = new Postgres(
        `${name}-postgres`,
        {
            prefix,
            image: images.postgres,
            major: database.version,
            upgrade: database.upgrade,
            writer: {
                container: prefix,
                dataVolume: volumeName,
                user: SYNAPSE_USER,
                maintenance: announces ? ANNOUNCEMENT.maintenance : "",
                lock: MOVING_LOCK,
                ...UPGRADED,
            },
            network,
            memory: memory.postgres,
            poolSize: POOL.max,
            readers: { synapse: SYNAPSE_USER },
            startSeconds,
            ephemeral,
            stack,
        },
        opts,
    );
    return { component, connection: component.connection };
}
