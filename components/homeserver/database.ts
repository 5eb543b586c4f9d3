import type * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../../settings/settings.ts";
import type { Stack } from "../docker/stack.ts";
import { type DatabaseConnection, POSTGRES_USER } from "../postgres/connection.ts";
import { ExternalDatabase } from "../postgres/external.ts";
import { Postgres } from "../postgres/postgres.ts";
import { POOL } from "../synapse/homeserver.ts";
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

/** A database beside Synapse, and the component that those who use it wait for. */
export interface StackDatabase {
    readonly connection: DatabaseConnection;
    readonly component: pulumi.ComponentResource;
}

/** PostgreSQL, the stack's own or another's; undefined where the data is in SQLite. */
export function databaseOf(
    name: string,
    { settings, stack, images, network }: DatabaseArgs,
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
