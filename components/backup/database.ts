import type * as pulumi from "@pulumi/pulumi";
import type { MountArgs } from "../docker/container.ts";

/** A PostgreSQL database, and how it is reached. */
export interface BackedUpPostgres {
    readonly kind: "postgres";
    /** PostgreSQL's, of the server's major version or a newer one. */
    readonly image: pulumi.Input<string>;
    readonly network: pulumi.Input<string>;
    /** libpq's variables: PGHOST, PGPASSFILE, … */
    readonly environment: Readonly<Record<string, pulumi.Input<string>>>;
    /** Where the password is. */
    readonly mounts: readonly MountArgs[];
}

/** The database that is backed up. */
export type BackedUpDatabase =
    | BackedUpPostgres
    | {
          readonly kind: "sqlite";
          /** Synapse's. */
          readonly image: pulumi.Input<string>;
      };

/** The dump's name in a backup. */
export const FILES = { sqlite: "homeserver.db", postgres: "database.dump" } as const;
