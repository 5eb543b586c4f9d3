import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { MountArgs } from "./container.ts";
import { LABELS } from "./ownership.ts";
import { pathOf } from "./script.ts";
import type { Stack } from "./stack.ts";
import { tmpfsOf } from "./tmpfs.ts";

/** A script to run once in a container on the Docker host. */
export interface TaskArgs {
    readonly image: pulumi.Input<string>;
    /** Shell script, run with `sh -eu` inside the container. It must be safe to run twice and concurrently. */
    readonly script: string;
    /** `uid:gid`. */
    readonly user: string;
    /** Linux capabilities to keep, e.g. `CHOWN`. */
    readonly capabilities?: readonly string[];
    /** Docker network. None at all when left out. */
    readonly network?: pulumi.Input<string>;
    readonly mounts: readonly MountArgs[];
    /** Directories in memory beside /tmp: path → size in MiB. */
    readonly tmpfs?: Readonly<Record<string, number>>;
    /** Variables that the script reads. Nothing secret: `docker inspect` shows them while it runs. */
    readonly environment?: Readonly<Record<string, pulumi.Input<string>>>;
    /** What the script reads from its standard input. */
    readonly stdin?: pulumi.Input<string>;
    /**
     * Whether the script gets what its last run printed, as `PULUMI_COMMAND_STDOUT`; empty on the first run.
     *
     * @default false
     */
    readonly readsPreviousOutput?: boolean;
    /** Shell script for the machine that runs Pulumi, run before the one in the container; its failure is the task's. */
    readonly beforehand?: pulumi.Input<string>;
    /** Shell script for the machine that runs Pulumi, run after the container's own has succeeded. */
    readonly afterwards?: string;
}

/** A failure quotes the command, so its text stands in a file. */
const RUN_TASK = `exec sh ${pathOf(import.meta.url, "task.sh")}`;

/**
 * Runs a script in a disposable container, once, and again whenever something about it changes.
 * It has no `delete` and no `triggers`: those would run it against data that is still in use.
 */
export function task(
    name: string,
    args: TaskArgs,
    stack: Stack,
    opts: pulumi.CustomResourceOptions,
): command.local.Command {
    const { environment = {}, mounts, tmpfs = {}, capabilities = [] } = args;
    const sources = Object.fromEntries(mounts.map(({ source }, index) => [`TASK_MOUNT_${index}`, source]));
    const options = [
        ...(args.network === undefined ? [["--network", "none"]] : []),
        ["--user", args.user],
        ...capabilities.map((capability) => ["--cap-add", capability]),
        ...Object.entries(tmpfsOf(tmpfs, args.user)).flatMap((mount) => ["--tmpfs", mount.join(":")]),
        ...Object.keys(environment).map((variable) => ["--env", variable]),
        ["--env", "TASK_SCRIPT"],
        ...(args.readsPreviousOutput === true ? [["--env", "PULUMI_COMMAND_STDOUT"]] : []),
    ];
    return new command.local.Command(
        name,
        {
            create: RUN_TASK,
            update: RUN_TASK,
            environment: {
                ...stack.environment,
                ...environment,
                ...sources,
                TASK_LABELS: labelLines(name, stack),
                TASK_IMAGE: args.image,
                TASK_SCRIPT: args.script,
                TASK_OPTIONS: options.flat().join("\n"),
                TASK_MOUNTS: mounts.map(mountOption).join("\n"),
                TASK_BEFOREHAND: args.beforehand ?? "",
                TASK_AFTERWARDS: args.afterwards ?? "",
                ...(args.network === undefined ? {} : { TASK_NETWORK: args.network }),
            },
            ...(args.stdin === undefined ? {} : { stdin: args.stdin }),
            addPreviousOutputInEnv: args.readsPreviousOutput === true,
            logging: "stderr",
        },
        opts,
    );
}

/** `docker run --label`'s values, one a line. */
function labelLines(name: string, { labels }: Stack): pulumi.Output<string> {
    return pulumi
        .all(
            [...labels, { label: LABELS.task, value: name }].map(
                ({ label, value }) => pulumi.interpolate`${label}=${value}`,
            ),
        )
        .apply((lines) => lines.join("\n"));
}

/** `docker run --mount`'s value up to its source, which is known only when the command runs. */
function mountOption({ target, readOnly = true, type = "volume" }: MountArgs): string {
    return `type=${type},dst=${target}${readOnly ? ",readonly" : ""},src=`;
}
