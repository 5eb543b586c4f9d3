import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import type { Stack } from "./stack.ts";

/** A volume with data that cannot be made again: it outlives everything, unless the stack is a throw-away. */
export function dataVolume(
    name: string,
    args: { readonly name: string; readonly ephemeral: boolean; readonly stack: Stack },
    opts: pulumi.CustomResourceOptions,
): docker.Volume {
    return new docker.Volume(
        name,
        { name: args.name, labels: [...args.stack.labels] },
        {
            ...opts,
            protect: !args.ephemeral,
            retainOnDelete: !args.ephemeral,
            // A volume that existed before was made with other values, and must not be replaced for it.
            ignoreChanges: ["labels", "driver", "driverOpts"],
            hooks: args.stack.sweep,
        },
    );
}
