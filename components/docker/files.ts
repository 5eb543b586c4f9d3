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
 * The hash is part of the logical names too: other content is another resource, never a replacement. A replacement
 * that fails half-way leaves the old volume to be deleted later, by a name that an update back to the old content
 * has taken up again.
 *
 * Mount it after it is filled: consumers name the component in their `dependsOn`.
 */
export class FileVolume extends pulumi.ComponentResource {
    /** Name of the volume on the Docker host. */
    readonly volumeName: pulumi.Output<string>;

    constructor(name: string, args: FileVolumeArgs, opts?: pulumi.ComponentResourceOptions) {
        super("synapse:index:FileVolume", name, {}, opts);
        const hash = contentHash(args.files);
        const fullName = `${args.prefix}-${hash}`;

        const volume = new docker.Volume(`${name}-${hash}-volume`, { name: fullName }, { parent: this });

        // Files cannot be uploaded to a container with a read-only root, but to this one, which is never started.
        new docker.Container(
            `${name}-${hash}-loader`,
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
            // Two containers cannot hold one name.
            { parent: this, deleteBeforeReplace: true, hooks: args.stack.sweep },
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
