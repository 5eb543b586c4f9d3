import type * as pulumi from "@pulumi/pulumi";
import type { MountArgs } from "../docker/container.ts";

/** How a PostgreSQL database is reached, in libpq's words, with its password in a file that only its reader can read. */
export interface DatabaseConnection {
    readonly host: string;
    readonly port: number;
    /** Name of the database. */
    readonly dbname: string;
    /** The role that owns it. */
    readonly user: string;
    readonly sslmode: "disable" | "require" | "verify-ca" | "verify-full";
    /** Path of the CA in the mounted volume, or `system`; undefined where no certificate is checked. */
    readonly sslrootcert: string | undefined;
    /** Volume with the password files, to be mounted by whoever connects. */
    readonly secrets: MountArgs;
}

/** Where the volume with the password files is mounted. */
export const SECRETS = "/database";

/** The users that connect, `uid:gid`, each with a password file of its own: libpq ignores one that is not its reader's. */
export const PASSFILES = {
    synapse: `${SECRETS}/synapse.pgpass`,
    postgres: `${SECRETS}/postgres.pgpass`,
} as const;

/** The official image's user and group on Debian, `uid:gid`. */
export const POSTGRES_USER = "999:999";

/** The connection as libpq's own environment variables, for a reader of one of the password files. */
export function libpqEnvironment(
    { dbname, host, port, sslmode, sslrootcert, user }: Omit<DatabaseConnection, "secrets">,
    reader: keyof typeof PASSFILES,
): Readonly<Record<string, pulumi.Input<string>>> {
    return {
        PGHOST: host,
        PGPORT: String(port),
        PGDATABASE: dbname,
        PGUSER: user,
        PGSSLMODE: sslmode,
        ...(sslrootcert === undefined ? {} : { PGSSLROOTCERT: sslrootcert }),
        PGPASSFILE: PASSFILES[reader],
    };
}
