import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { MountArgs } from "../docker/container.ts";
import { script } from "../docker/script.ts";
import type { Stack } from "../docker/stack.ts";
import { task } from "../docker/task.ts";
import { SYNAPSE_USER } from "./user.ts";

/** What {@link SecretConfig} needs to know. */
export interface SecretConfigArgs {
    /** Prefix of the stack's Docker objects. */
    readonly prefix: string;
    /** Synapse's. */
    readonly image: pulumi.Input<string>;
    /** Text of the file. Secret. */
    readonly content: string;
    readonly stack: Stack;
}

const DIRECTORY = "/secrets";

/**
 * The layer of Synapse's configuration that nobody may see: a file on a volume, for Synapse's user alone. A task writes
 * it from its standard input, which Pulumi's state encrypts, so it is in no argument, variable, name or label.
 *
 * Each content has a directory of its own with a random name, which says nothing of what is in it. A changed secret
 * is another name: that shows in previews, replaces the server, and leaves the file of the running one alone.
 */
export class SecretConfig extends pulumi.ComponentResource {
    /** Path of the file, where {@link mount} is mounted. */
    readonly path: pulumi.Output<string>;
    readonly mount: MountArgs;

    readonly #args: SecretConfigArgs;
    readonly #generation: pulumi.Output<string>;

    constructor(name: string, args: SecretConfigArgs, opts?: pulumi.ComponentResourceOptions) {
        super("synapse:index:SecretConfig", name, {}, opts);
        this.#args = args;

        const volume = new docker.Volume(
            `${name}-volume`,
            { name: `${args.prefix}-secrets` },
            { parent: this },
        );
        const store = task(
            `${name}-store`,
            {
                image: args.image,
                script: script(import.meta.url, "store.sh"),
                user: "0:0",
                capabilities: ["CHOWN", "SETUID", "SETGID"],
                mounts: [{ source: volume.name, target: DIRECTORY, readOnly: false }],
                environment: { OWNER: SYNAPSE_USER },
                stdin: pulumi.secret(args.content),
            },
            args.stack,
            { parent: this },
        );

        // Random, so no secret, although a command with a secret input prints nothing but secrets.
        this.#generation = pulumi.unsecret(store.stdout);
        this.path = pulumi.interpolate`${DIRECTORY}/${this.#generation}/homeserver.yaml`;
        this.mount = { source: volume.name, target: DIRECTORY };
        this.registerOutputs({ path: this.path });
    }

    /** Removes what is kept for no server any more, once the one that `opts` names runs with its own. */
    removeOthers(name: string, opts: pulumi.CustomResourceOptions): void {
        const { image, stack } = this.#args;
        task(
            name,
            {
                image,
                script: script(import.meta.url, "remove-others.sh"),
                user: SYNAPSE_USER,
                mounts: [{ ...this.mount, readOnly: false }],
                environment: { CURRENT: this.#generation },
            },
            stack,
            opts,
        );
    }
}
