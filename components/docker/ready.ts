import * as command from "@pulumi/command";
import type * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import type { HealthArgs } from "./container.ts";
import { pathOf } from "./script.ts";
import type { Stack } from "./stack.ts";

/** What else a step that waits for a container records. */
export interface ReadyArgs {
    readonly environment?: Readonly<Record<string, string>>;
    readonly hooks?: pulumi.ResourceHookBinding;
}

/** A failure quotes the command, so its text stands in a file. */
const WAIT = `exec sh ${pathOf(import.meta.url, "ready.sh")}`;

/**
 * A step that waits until a container is healthy: it ends at once when the container exits, goes on for as long as
 * Synapse upgrades its database, and quotes the end of the log when it fails. The provider's own wait does none of
 * it, and the next update replaces what it gave up on, which may be at work on the database. This step is what fails
 * here: the next update waits anew.
 */
export function ready(
    name: string,
    container: docker.Container,
    {
        command: health,
        patience,
        advice = "",
        environment,
        hooks,
    }: Pick<HealthArgs, "command" | "patience" | "advice"> & ReadyArgs,
    stack: Stack,
    opts: pulumi.CustomResourceOptions,
): command.local.Command {
    // A provider in them is Docker's, which knows no commands.
    const { provider: _, ...others } = opts;
    return new command.local.Command(
        name,
        {
            create: WAIT,
            update: WAIT,
            environment: {
                ...stack.environment,
                CONTAINER: container.id,
                NAME: container.name,
                HEALTH: health.join("\n"),
                PATIENCE: String(patience),
                ADVICE: advice,
                ...environment,
            },
            addPreviousOutputInEnv: false,
            logging: "stderr",
        },
        // A database takes the time that it takes.
        {
            ...others,
            ...(hooks === undefined ? {} : { hooks }),
            customTimeouts: { create: "24h", update: "24h" },
        },
    );
}
