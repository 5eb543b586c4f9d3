import type * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { script } from "../docker/script.ts";
import { task } from "../docker/task.ts";
import { libpqEnvironment, POSTGRES_USER } from "../postgres/connection.ts";
import { compiledDirectory } from "./data.ts";
import { DATABASE } from "./guard.ts";
import type { SynapseArgs } from "./server.ts";
import { dataMounts, kindOf } from "./service.ts";
import { SYNAPSE_USER } from "./user.ts";

/** Dumps of the database, made before another image runs on it. */
export interface DumpArgs {
    /** Image with pg_dump, of PostgreSQL's major or a newer one; undefined where the data is in SQLite. */
    readonly postgresImage: pulumi.Input<string> | undefined;
    readonly volume: pulumi.Input<string>;
}

const KEPT = 2;

/** Dumps the database when the image is another one than the server was last healthy with. Returns the step. */
export function dumpStep(
    name: string,
    args: SynapseArgs,
    { postgresImage, volume }: DumpArgs,
    opts: pulumi.CustomResourceOptions,
): command.local.Command {
    const { database, stack } = args;
    return task(
        `${name}-dump`,
        {
            image: postgresImage ?? args.image,
            script:
                script(import.meta.url, database === undefined ? "dump-sqlite.sh" : "dump-postgres.sh") +
                script(import.meta.url, "dump.sh"),
            user: "0:0",
            capabilities: ["CHOWN", "SETUID", "SETGID"],
            ...(database === undefined ? {} : { network: args.network }),
            mounts: [
                // SQLite locks its file, and keeps a journal beside it.
                { ...dataMounts(args).data, readOnly: database !== undefined },
                { source: volume, target: "/dumps", readOnly: false },
                ...(database === undefined ? [] : [database.connection.secrets]),
            ],
            environment: {
                ...(database === undefined ? {} : libpqEnvironment(database.connection, "postgres")),
                OWNER: database === undefined ? SYNAPSE_USER : POSTGRES_USER,
                [DATABASE]: kindOf(args),
                COMPILED: compiledDirectory(args.image),
                REFERENCE: args.imageReference,
                KEPT: String(KEPT),
            },
        },
        stack,
        // As long as it takes.
        { ...opts, customTimeouts: { create: "24h", update: "24h" } },
    );
}
