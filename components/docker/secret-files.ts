import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { MountArgs } from "./container.ts";
import { script } from "./script.ts";
import type { Stack } from "./stack.ts";
import { task } from "./task.ts";

/** What {@link SecretFiles} needs to know. */
export interface SecretFilesArgs {
    /** Name of the volume on the Docker host. */
    readonly volumeName: string;
    /** Synapse's: any with util-linux and diff. */
    readonly image: pulumi.Input<string>;
    /** Texts of the files by their names. Secret. */
    readonly files: Readonly<Record<string, string>>;
    /** `uid:gid` of who alone reads them. */
    readonly owner: string;
    readonly stack: Stack;
}

const DIRECTORY = "/secrets";

/**
 * Files that nobody may see but one user of a container: on a volume, where a task writes them from its standard
 * input, which Pulumi's state encrypts. So they are in no argument, variable, name or label.
 *
 * Each content has a directory of its own with a random name, which says nothing of what is in it. A changed secret
 * is another name: that shows in previews, replaces whatever reads it, and leaves the files of what runs alone.
 */
export class SecretFiles extends pulumi.ComponentResource {
    /** Directory with the files, where {@link mount} is mounted. */
    readonly directory: pulumi.Output<string>;
    readonly mount: MountArgs;

    readonly #args: SecretFilesArgs;
    readonly #generation: pulumi.Output<string>;

    constructor(name: string, args: SecretFilesArgs, opts?: pulumi.ComponentResourceOptions) {
        super("synapse:index:SecretFiles", name, {}, opts);
        this.#args = args;

        const volume = new docker.Volume(`${name}-volume`, { name: args.volumeName }, { parent: this });
        const store = task(
            `${name}-store`,
            {
                image: args.image,
                script: script(import.meta.url, "secret-files.sh"),
                user: "0:0",
                capabilities: ["CHOWN", "SETUID", "SETGID"],
                mounts: [{ source: volume.name, target: DIRECTORY, readOnly: false }],
                environment: { OWNER: args.owner },
                stdin: pulumi.secret(linesOf(args.files)),
            },
            args.stack,
            { parent: this },
        );

        // Random, so no secret, although a command with a secret input prints nothing but secrets.
        this.#generation = pulumi.unsecret(store.stdout);
        this.directory = pulumi.interpolate`${DIRECTORY}/${this.#generation}`;
        this.mount = { source: volume.name, target: DIRECTORY };
        this.registerOutputs({ directory: this.directory });
    }

    /** Removes what is kept for nobody any more, once those that `opts` names run with their own. */
    removeOthers(name: string, opts: pulumi.CustomResourceOptions): void {
        const { image, owner, stack } = this.#args;
        task(
            name,
            {
                image,
                script: script(import.meta.url, "remove-others.sh"),
                user: owner,
                mounts: [{ ...this.mount, readOnly: false }],
                environment: { CURRENT: this.#generation },
            },
            stack,
            opts,
        );
    }
}

/** As secret-files.sh reads them. */
function linesOf(files: Readonly<Record<string, string>>): string {
    return Object.entries(files)
        .map(([name, content]) => `${name} ${Buffer.from(content).toString("base64")}\n`)
        .join("");
}
