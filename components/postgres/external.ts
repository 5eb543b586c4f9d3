import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { script } from "../docker/script.ts";
import type { Stack } from "../docker/stack.ts";
import { task } from "../docker/task.ts";
import { type DatabaseConnection, libpqEnvironment, SECRETS } from "./connection.ts";

/** What {@link ExternalDatabase} needs to know. */
export interface ExternalDatabaseArgs extends Pick<DatabaseConnection, "host" | "port" | "user" | "sslmode"> {
    /** Prefix of the stack's Docker objects. */
    readonly prefix: string;
    /** One with Python and psycopg2: Synapse's. */
    readonly image: pulumi.Input<string>;
    /** Docker network of those who connect. */
    readonly network: pulumi.Input<string>;
    /** Name of the database. */
    readonly dbname: string;
    /** Secret. */
    readonly password: string;
    /** File on the Docker host, PEM; the system's CAs when undefined. */
    readonly ca: string | undefined;
    /** `uid:gid` of those who connect: the name of its password file → its reader. */
    readonly readers: Readonly<Record<string, string>>;
    readonly stack: Stack;
}

const CA = `${SECRETS}/ca.pem`;

/** A database that somebody else runs: what those who connect to it need, as files on a volume that they mount. */
export class ExternalDatabase extends pulumi.ComponentResource {
    readonly connection: DatabaseConnection;

    constructor(name: string, args: ExternalDatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
        // None of the arguments: Pulumi would keep the password in its state.
        super("synapse:index:ExternalDatabase", name, {}, opts);
        // Not the managed server's name for it: where one follows the other, both are there for a while.
        const secrets = new docker.Volume(
            `${name}-passwords`,
            { name: `${args.prefix}-database-external` },
            { parent: this },
        );
        const { host, port, dbname, user, sslmode } = args;
        const connection = { host, port, dbname, user, sslmode, sslrootcert: rootCertificate(args) };
        task(
            `${name}-store`,
            {
                image: args.image,
                script: script(import.meta.url, "store.sh"),
                user: "0:0",
                capabilities: ["CHOWN"],
                network: args.network,
                mounts: [
                    { source: secrets.name, target: SECRETS, readOnly: false },
                    ...(args.ca === undefined
                        ? []
                        : ([{ source: args.ca, target: "/ca.pem", type: "bind" }] as const)),
                ],
                environment: {
                    ...libpqEnvironment(connection, "synapse"),
                    CA: args.ca === undefined ? "" : "/ca.pem",
                    READERS: Object.entries(args.readers)
                        .map((reader) => reader.join("="))
                        .join("\n"),
                },
                stdin: pulumi.secret(pgpass(args)),
            },
            args.stack,
            { parent: this },
        );

        this.connection = { ...connection, secrets: { source: secrets.name, target: SECRETS } };
        this.registerOutputs({});
    }
}

function rootCertificate({ ca, sslmode }: ExternalDatabaseArgs): string | undefined {
    if (sslmode !== "verify-ca" && sslmode !== "verify-full") return undefined;
    return ca === undefined ? "system" : CA;
}

/** The line of a password file, in which `:` and `\` need a `\` before them. */
export function pgpass({
    host,
    port,
    dbname,
    user,
    password,
}: Pick<ExternalDatabaseArgs, "host" | "port" | "dbname" | "user" | "password">): string {
    const fields = [host, String(port), dbname, user, password];
    return `${fields.map((field) => field.replaceAll(/[:\\]/g, "\\$&")).join(":")}\n`;
}
