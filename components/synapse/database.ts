import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { unlessAtWork } from "../docker/at-work.ts";
import { serverAway } from "../docker/away.ts";
import type { MountArgs } from "../docker/container.ts";
import { onUpdate } from "../docker/on-update.ts";
import { script } from "../docker/script.ts";
import { type TaskArgs, task } from "../docker/task.ts";
import { type DatabaseConnection, libpqEnvironment } from "../postgres/connection.ts";
import { ANNOUNCEMENT } from "./announcement.ts";
import { compiledDirectory } from "./data.ts";
import { dumpStep } from "./dump.ts";
import type { SynapseArgs } from "./server.ts";
import { dataMounts, MOVING, MOVING_LOCK } from "./service.ts";
import { SYNAPSE_USER } from "./user.ts";

/** The PostgreSQL database that a server uses. */
export interface ServerDatabase {
    readonly connection: DatabaseConnection;
    /** Whether the settings name it: data that is in SQLite is moved only then. */
    readonly chosen: boolean;
    /** The operator's word that data of another PostgreSQL has been copied to it. */
    readonly moved: boolean;
}

/**
 * Sees that the database is one that the server can use, dumps it for another image, and moves the server's data there
 * when it is in SQLite; all before the running server is replaced. Returns the last step.
 */
export function databaseSteps(
    name: string,
    args: SynapseArgs,
    { connection, chosen, moved }: ServerDatabase,
    opts: pulumi.CustomResourceOptions,
): command.local.Command {
    const { data, compiled } = dataMounts(args);
    const common = {
        image: args.image,
        user: SYNAPSE_USER,
        network: args.network,
        environment: {
            ...libpqEnvironment(connection, "synapse"),
            PYTHONPYCACHEPREFIX: compiledDirectory(args.image),
        },
    };
    const check = task(
        `${name}-database`,
        {
            ...common,
            script: python("database.py"),
            mounts: [data, compiled, connection.secrets],
            environment: {
                ...common.environment,
                SERVER_NAME: args.serverName,
                IMAGE_REFERENCE: args.imageReference,
                CHOSEN: chosen ? "yes" : "no",
                MOVED: moved ? "yes" : "no",
            },
        },
        args.stack,
        { ...opts, hooks: onUpdate(`${name}-database-place`, refusalOfMove) },
    );
    // Not of a database that the image has just been refused for: that would take a good dump's place.
    const dump = args.dump && dumpStep(name, args, args.dump, { ...opts, dependsOn: [check] });
    return task(
        `${name}-migration`,
        migration(args, common, [{ ...data, readOnly: false }, compiled, connection.secrets], check.stdout),
        args.stack,
        // As long as it takes: it goes on where it was interrupted, but the server is away until it is done.
        { ...opts, dependsOn: [dump ?? check], customTimeouts: { create: "24h", update: "24h" } },
    );
}

function migration(
    args: SynapseArgs,
    common: Pick<TaskArgs, "image" | "user" | "network" | "environment">,
    mounts: readonly MountArgs[],
    checked: pulumi.Output<string>,
): TaskArgs {
    const { announceVolume } = args;
    const announced =
        announceVolume === undefined
            ? []
            : [{ source: announceVolume, target: ANNOUNCEMENT.directory, readOnly: false }];
    return {
        ...common,
        script: python("migrate.py"),
        mounts: [...mounts, ...announced],
        environment: {
            ...common.environment,
            BEGUN: MOVING,
            LOCK: MOVING_LOCK,
            CHECKED: checked.apply((printed) => printed.trim()),
            POSTGRES: `${args.prefix}-postgres`,
            MAINTENANCE: announceVolume === undefined ? "" : ANNOUNCEMENT.maintenance,
        },
        beforehand: pulumi.interpolate`${unlessAtWork(args.prefix, "the data moves to PostgreSQL")}
[ "$CHECKED" = migrate ] || exit 0
${serverAway("to move its data to PostgreSQL")}`,
    };
}

/** A task runs a shell script; this one hands its process to Python. */
function python(file: string): string {
    return `exec python3 - <<'PYTHON'\n${script(import.meta.url, file)}\nPYTHON\n`;
}

/** Why a preview refuses another PostgreSQL; undefined when it is the same, or its data has been copied. */
export function refusalOfMove(
    before: Readonly<Record<string, unknown>>,
    after: Readonly<Record<string, unknown>>,
): string | undefined {
    const place = ({ PGHOST, PGPORT, PGDATABASE }: Readonly<Record<string, unknown>>) =>
        `${String(PGDATABASE)} at ${String(PGHOST)}:${String(PGPORT)}`;
    if (place(before) === place(after) || after.MOVED === "yes") return undefined;
    return (
        `the server's data is in ${place(before)}, and synapse:database says ${place(after)}. Nothing copies it from one ` +
        "PostgreSQL to another by itself: stop the server, copy it (docs/database.md#to-another-postgresql), and then " +
        "pulumi config set --path synapse:database.moved true."
    );
}
