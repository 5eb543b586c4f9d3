import { createHash } from "node:crypto";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "./stack.ts";

/** One file of a {@link FileVolume}. */
export interface FileArgs {
    /** Name, without directories. */
    readonly name: string;
    /** Text; not empty. */
    readonly content: string;
    /** @default false */
    readonly executable?: boolean;
}

/** What a {@link FileVolume} holds. */
export interface FileVolumeArgs {
    /** The volume's name on the Docker host up to the hash. */
    readonly prefix: string;
    /** Any image that is on the host anyway: nothing of it is run. */
    readonly image: pulumi.Input<string>;
    readonly files: readonly FileArgs[];
    readonly stack: Stack;
}

/**
 * Files in a volume that never change: the volume is named by the hash of its content. Other content makes another
 * volume, and whatever mounts it is replaced because its mount changed. A failed update leaves the old volume as it
 * was, under the container that still uses it.
 *
 * Mount it after it is filled: consumers name the component in their `dependsOn`.
 */
export class FileVolume extends pulumi.ComponentResource {
    /** Name of the volume on the Docker host. */
    readonly volumeName: pulumi.Output<string>;

    constructor(name: string, args: FileVolumeArgs, opts?: pulumi.ComponentResourceOptions) {
        super("synapse:index:FileVolume", name, {}, opts);
        const fullName = `${args.prefix}-${contentHash(args.files)}`;

        const volume = new docker.Volume(
            `${name}-volume`,
            { name: fullName },
            // The old volume must outlive the container that still mounts it.
            { parent: this, deleteBeforeReplace: false },
        );

        // Files cannot be uploaded to a container with a read-only root, but to this one, which is never started.
        new docker.Container(
            `${name}-loader`,
            {
                name: fullName,
                image: args.image,
                mounts: [{ type: "volume", source: volume.name, target: DIRECTORY }],
                uploads: args.files.map(({ name: file, content, executable = false }) => ({
                    file: `${DIRECTORY}/${file}`,
                    content,
                    permissions: executable ? "0555" : "0444",
                })),
                labels: [...args.stack.labels],
                mustRun: false,
                start: false,
            },
            {
                parent: this,
                deleteBeforeReplace: false,
                // An unfilled or half-filled volume would be taken for a filled one.
                replaceOnChanges: ["mounts"],
                hooks: args.stack.sweep,
            },
        );

        this.volumeName = volume.name;
        this.registerOutputs({ volumeName: this.volumeName });
    }
}

const DIRECTORY = "/files";

/** Twelve hexadecimal digits that change with any name, mode or content. */
function contentHash(files: readonly FileArgs[]): string {
    const hash = createHash("sha256");
    for (const { name, content, executable = false } of files)
        hash.update(JSON.stringify([name, content, executable]));
    return hash.digest("hex").slice(0, 12);
}
