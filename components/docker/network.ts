import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import type { Stack } from "./stack.ts";

/** The network on which the stack's containers find each other. Returns its name. */
export function stackNetwork(name: string, dockerName: string, stack: Stack): pulumi.Output<string> {
    const network = new docker.Network(
        name,
        { name: dockerName, labels: [...stack.labels] },
        { provider: stack.provider, deleteBeforeReplace: true, hooks: stack.sweep },
    );
    return network.name;
}
