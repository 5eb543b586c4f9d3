import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";

/** The id of an image on the Docker host, pulled if it is not there. */
export function pulledImage(
    name: string,
    reference: string,
    opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
    const image = new docker.RemoteImage(
        name,
        // Removing it with the stack would take it from other stacks, and cannot be undone without a registry.
        { name: reference, keepLocally: true },
        opts,
    );
    return image.imageId;
}
