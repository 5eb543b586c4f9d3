import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { unlessAtWork } from "../docker/at-work.ts";
import { serverAway } from "../docker/away.ts";
import { onUpdate } from "../docker/on-update.ts";
import { script } from "../docker/script.ts";
import type { Stack } from "../docker/stack.ts";
import { task } from "../docker/task.ts";

/** The server that writes to the database, which is away while that is copied to another major. */
export interface WriterArgs {
    /** Name of its container. */
    readonly container: string;
    /** Its data volume, at /data in its container. */
    readonly dataVolume: pulumi.Input<string>;
    /** `uid:gid`. */
    readonly user: string;
    /** File in its container that tells nginx why it is away; empty without nginx. */
    readonly maintenance: string;
    /** File on its data volume whose lock it shares while it runs. */
    readonly lock: string;
    /** File there that keeps it from starting. */
    readonly copied: string;
    /** File there that it removes when it was healthy. */
    readonly settling: string;
}

/** What {@link copyStep} and {@link letInStep} need to know. */
export interface UpgradeArgs {
    /** Prefix of the stack's Docker objects. */
    readonly prefix: string;
    /** Of the new major. */
    readonly image: pulumi.Input<string>;
    readonly major: number;
    /** What the initialization printed. */
    readonly checked: pulumi.Input<string>;
    readonly writer: WriterArgs;
    readonly stack: Stack;
}

/** How the data volume and the server on it are reached. */
export interface OldServer {
    readonly network: pulumi.Input<string>;
    /** Variables of the initialization, and libpq's. */
    readonly environment: Readonly<Record<string, pulumi.Input<string>>>;
    readonly mounts: Parameters<typeof task>[1]["mounts"];
    /** MiB. */
    readonly memory: number;
    readonly startSeconds: number;
}

/** Copies the data from an older major's server, before that is replaced; nothing where there is none. */
export function copyStep(
    name: string,
    { checked, image, prefix, stack, writer }: UpgradeArgs,
    { environment, memory, mounts, network, startSeconds }: OldServer,
    opts: pulumi.CustomResourceOptions,
): command.local.Command {
    return task(
        name,
        {
            image,
            script: script(import.meta.url, "upgrade.sh"),
            user: "0:0",
            capabilities: ["DAC_READ_SEARCH", "SETUID", "SETGID"],
            network,
            mounts: [...mounts, { source: writer.dataVolume, target: "/data", readOnly: false }],
            environment: {
                ...environment,
                CHECKED: checked,
                PATIENCE: String(startSeconds),
                MAINTENANCE_MIB: String(Math.max(64, Math.floor(memory / 4))),
                MAINTENANCE: writer.maintenance,
                POSTGRES: `${prefix}-postgres`,
            },
            beforehand: pulumi.interpolate`${unlessAtWork(writer.container, "the data is copied to another major")}
${script(import.meta.url, "upgrade-away.sh")}
${serverAway("to copy its data to another major of PostgreSQL")}`,
        },
        stack,
        // As long as it takes.
        { ...opts, customTimeouts: { create: "24h", update: "24h" } },
    );
}

/** Lets the server in, and starts it, when PostgreSQL accepts queries after a copy. */
export function letInStep(
    name: string,
    { checked, image, major, stack, writer }: UpgradeArgs,
    opts: pulumi.CustomResourceOptions,
): command.local.Command {
    return task(
        name,
        {
            image,
            script: script(import.meta.url, "let-in.sh"),
            user: writer.user,
            mounts: [{ source: writer.dataVolume, target: "/data", readOnly: false }],
            environment: {
                [MAJOR]: String(major),
                CHECKED: checked,
                COPIED: writer.copied,
                SETTLING: writer.settling,
                SERVER: writer.container,
            },
            beforehand: '[ "$CHECKED" != ready ] || exit 0',
            afterwards:
                '! docker container inspect "$SERVER" >/dev/null 2>&1 || docker start "$SERVER" >/dev/null',
        },
        stack,
        { ...opts, hooks: onUpdate(`${name}-back`, refusalOfOlder) },
    );
}

/** The variable with PostgreSQL's major version. */
export const MAJOR = "MAJOR";

/** Whether data of an older major is to be copied: `yes` or `no`. */
export const UPGRADE = "UPGRADE";

type Variables = Readonly<Record<string, unknown>>;

/** Why a preview refuses a newer major; undefined when it is none, or asked for. */
export function refusalOfNewer(before: Variables, after: Variables): string | undefined {
    if (after[UPGRADE] === "yes" || !(Number(before[MAJOR]) < Number(after[MAJOR]))) return undefined;
    return (
        `the data is in PostgreSQL ${String(before[MAJOR])}, and synapse:database.version is ${String(after[MAJOR])}. To have ` +
        "it copied, which stops the server for that long (docs/database.md#to-another-major): pulumi config set --path " +
        `synapse:database.upgrade true. Else set the version back to ${String(before[MAJOR])}.`
    );
}

/** Why a preview refuses an older major than the one that the server was let in to; undefined when it is none. */
export function refusalOfOlder(before: Variables, after: Variables): string | undefined {
    if (!(Number(before[MAJOR]) > Number(after[MAJOR]))) return undefined;
    return (
        `the data is in PostgreSQL ${String(before[MAJOR])}, which no older one can read, and synapse:database.version is ` +
        `${String(after[MAJOR])}: whatever was written since the upgrade would be lost. Set it back to ${String(before[MAJOR])}.`
    );
}
