import { z } from "zod";
import type { FieldFault } from "./faults.ts";
import { absolutePath, flag, text, unquoted, wholeNumber } from "./kinds.ts";
import type { Given } from "./schema.ts";

/** PostgreSQL's majors that Synapse supports, the one that a new server gets first. */
export const POSTGRES_MAJORS = [17, 14, 15, 16, 18] as const;
const MAJOR = "a major version of PostgreSQL that Synapse supports, 14 to 18";
const IDENTIFIER = "a name of letters, digits, _ and -, at most 63";
const identifier = () => text(/^[A-Za-z_][A-Za-z0-9_-]{0,62}$/, IDENTIFIER);
const PASSWORD = "a password of one line";

const managed = z
    .strictObject({
        kind: z.literal("postgres"),
        version: z
            .preprocess(unquoted, z.literal(POSTGRES_MAJORS, { error: MAJOR }))
            .default(POSTGRES_MAJORS[0])
            .describe("PostgreSQL's major version. Data of another one is refused unless `upgrade` says so."),
        upgrade: flag()
            .default(false)
            .describe(
                "Whether data of an older major is copied to this one, which stops the server for that long. The old data is kept as long as this is true.",
            ),
        moved: moved(),
    })
    .describe("PostgreSQL that the stack runs itself.");

const sqlite = z
    .strictObject({ kind: z.literal("sqlite") })
    .describe("A file on the data volume: for throw-aways and a first look alone, as Synapse's makers say.");

const external = z
    .strictObject({
        kind: z.literal("external"),
        host: text(/^[A-Za-z0-9.:-]{1,253}$/, "a host name or address").describe(
            "Host name or address, as Synapse's container reaches it.",
        ),
        port: z
            .preprocess(unquoted, wholeNumber("a whole number from 1 to 65535", 1, 65535))
            .default(5432)
            .meta({ type: "integer" })
            .describe("Port."),
        name: identifier().default("synapse").describe("Name of the database."),
        user: identifier().default("synapse").describe("Role that owns the database."),
        password: text(/^[^\r\n\0]+$/, PASSWORD).describe("Its password. Secret: set it with `--secret`."),
        tls: z
            .enum(["disable", "require", "verify-ca", "verify-full"], {
                error: "one of disable, require, verify-ca, verify-full",
            })
            .default("verify-full")
            .describe(
                "libpq's `sslmode`: whether the connection is encrypted, and what of its certificate is checked.",
            ),
        ca: absolutePath()
            .optional()
            .describe(
                "File on the Docker host with the CA of its certificate, PEM. The system's own CAs when left out.",
            ),
        moved: moved(),
    })
    .describe("PostgreSQL that somebody else runs.");

function moved() {
    return flag()
        .default(false)
        .describe(
            "Your word that the server's data has been copied to this database from another PostgreSQL.",
        );
}

/** Where the server's data is. */
export type Database = z.output<typeof managed> | z.output<typeof sqlite> | z.output<typeof external>;

export const database = z
    .discriminatedUnion("kind", [managed, sqlite, external], {
        error: "an object with `kind`: postgres, sqlite or external",
    })
    .optional()
    .describe("Where users, rooms and messages are. `postgres` when left out, in a throw-away `sqlite`.");

/** What a stack has that does not say. */
export function completeDatabase({ database, ephemeral }: Pick<Given, "database" | "ephemeral">): Database {
    if (database !== undefined) return database;
    return ephemeral
        ? { kind: "sqlite" }
        : { kind: "postgres", version: POSTGRES_MAJORS[0], upgrade: false, moved: false };
}

/** What libpq would refuse when Synapse is started. */
export function databaseFaults({ database }: Given): FieldFault[] {
    if (database?.kind !== "external") return [];
    const { ca, tls } = database;
    if (ca === undefined && tls === "verify-ca") {
        return [
            {
                key: "database.ca",
                got: "nothing",
                wanted: "the CA of its certificate: with tls verify-ca any certificate of a public CA would do, whoever has it",
                fix: "pulumi config set --path synapse:database.ca <file>, or database.tls verify-full",
            },
        ];
    }
    if (ca === undefined || tls === "verify-ca" || tls === "verify-full") return [];
    return [
        {
            key: "database.ca",
            got: JSON.stringify(ca),
            wanted: `nothing: with tls ${tls} no certificate is checked`,
            fix: "pulumi config set --path synapse:database.tls verify-full, or pulumi config rm --path synapse:database.ca",
        },
    ];
}
