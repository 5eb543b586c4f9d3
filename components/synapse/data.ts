import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { unlessAtWork } from "../docker/at-work.ts";
import { script } from "../docker/script.ts";
import type { Stack } from "../docker/stack.ts";
import { task } from "../docker/task.ts";
import { dataVolume } from "../docker/volume.ts";
import { KEY_ROTATION, permanenceGuard, rotationGuard, SERVER_NAME } from "./guard.ts";
import { SYNAPSE_USER } from "./user.ts";

/** What {@link SynapseData} needs to know. */
export interface SynapseDataArgs {
    /** Prefix of the stack's Docker objects. */
    readonly prefix: string;
    readonly image: pulumi.Input<string>;
    /** The image as the settings name it, for messages. */
    readonly imageReference: string;
    /** Matrix server name. Permanent. */
    readonly serverName: string;
    /** How often the signing key has been replaced: one more than on the volume replaces it. */
    readonly keyRotation: number;
    /** Whether the generated configuration reports usage statistics. */
    readonly reportStats: boolean;
    /** Whether a proxy stands before the server, which is then told of restarts. */
    readonly proxied: boolean;
    /** Whether dumps of the database are kept; see {@link DumpArgs}. */
    readonly dumps: boolean;
    /** Whether the data goes when the stack goes. */
    readonly ephemeral: boolean;
    /** What is done with the volume before an identity would be made there; the generation run waits for it. */
    readonly beforeGeneration?: ((volumeName: pulumi.Output<string>) => pulumi.Resource[]) | undefined;
    readonly stack: Stack;
}

/**
 * The volume with everything that a server must never lose: its signing key and secrets, its database, its media.
 * The generation run makes the identity once, on the Docker host; of the key, only the public half leaves it.
 */
export class SynapseData extends pulumi.ComponentResource {
    /** Name of the data volume on the Docker host. */
    readonly volumeName: pulumi.Output<string>;
    /** Volume on which the server announces its restarts to the proxy; undefined without one. */
    readonly announceVolume: pulumi.Output<string> | undefined;
    /** Volume with Python's compiled files; see {@link compiledDirectory}. */
    readonly compiledVolume: pulumi.Output<string>;
    /** Volume with dumps of the database; undefined where none are made. */
    readonly dumpsVolume: pulumi.Output<string> | undefined;
    /** Public half of the signing key, as other servers know it: `ed25519:a_AbCd <unpadded base64>`. */
    readonly verifyKey: pulumi.Output<string>;

    constructor(name: string, args: SynapseDataArgs, opts?: pulumi.ComponentResourceOptions) {
        super("synapse:index:SynapseData", name, {}, opts);

        // The only copy of the server.
        const volume = dataVolume(
            `${name}-volume`,
            { name: `${args.prefix}-data`, ephemeral: args.ephemeral, stack: args.stack },
            {
                parent: this,
                // A server's name is for ever. Another name needs another volume, which `protect` refuses in preview.
                replacementTrigger: args.serverName,
                deleteBeforeReplace: true,
            },
        );

        const announce = args.proxied
            ? new docker.Volume(`${name}-announce`, { name: `${args.prefix}-announce` }, { parent: this })
            : undefined;

        // Here, where it waits for nothing: what is protected keeps all that it waits for from being destroyed.
        const dumps = args.dumps
            ? dataVolume(
                  `${name}-dumps`,
                  { name: `${args.prefix}-dumps`, ephemeral: args.ephemeral, stack: args.stack },
                  { parent: this },
              )
            : undefined;

        // No loss: without it the server only starts more slowly.
        const compiled = new docker.Volume(
            `${name}-compiled`,
            { name: `${args.prefix}-compiled` },
            { parent: this },
        );

        // A throw-away may become another server: its data goes with the old name.
        const guards = [...(args.ephemeral ? [] : [permanenceGuard(name)]), rotationGuard(name)];
        const generation = task(
            `${name}-generation`,
            {
                image: args.image,
                script: script(import.meta.url, "generate.sh"),
                user: "0:0",
                capabilities: ["CHOWN", "SETUID", "SETGID"],
                mounts: [
                    { source: volume.name, target: "/data", readOnly: false },
                    { source: compiled.name, target: COMPILED, readOnly: false },
                    ...(announce === undefined
                        ? []
                        : [{ source: announce.name, target: "/announce", readOnly: false }]),
                ],
                environment: {
                    [SERVER_NAME]: args.serverName,
                    [KEY_ROTATION]: String(args.keyRotation),
                    COMPILED: compiledDirectory(args.image),
                    SCHEMA_PY: script(import.meta.url, "schema.py"),
                    IMAGE_REFERENCE: args.imageReference,
                    REPORT_STATS: args.reportStats ? "yes" : "no",
                    OWNER: SYNAPSE_USER,
                },
                readsPreviousOutput: true,
                beforehand: unlessAtWork(args.prefix, "another generation run"),
            },
            args.stack,
            {
                parent: this,
                hooks: { beforeUpdate: guards.flatMap(({ beforeUpdate = [] }) => beforeUpdate) },
                dependsOn: args.beforeGeneration?.(volume.name) ?? [],
            },
        );

        this.volumeName = volume.name;
        this.announceVolume = announce?.name;
        this.compiledVolume = compiled.name;
        this.dumpsVolume = dumps?.name;
        this.verifyKey = generation.stdout.apply(verifyKeyOf);
        this.registerOutputs({
            volumeName: this.volumeName,
            announceVolume: this.announceVolume,
            compiledVolume: this.compiledVolume,
            dumpsVolume: this.dumpsVolume,
            verifyKey: this.verifyKey,
        });
    }
}

/** Where the volume with compiled files is mounted. */
export const COMPILED = "/compiled";

/** The directory for the compiled files of one image, given by its id: another image has other files. */
export function compiledDirectory(image: pulumi.Input<string>): pulumi.Output<string> {
    return pulumi.output(image).apply((id) => `${COMPILED}/${id.replace(/^sha256:/, "").slice(0, 12)}`);
}

/** The generation run prints the server name, the key's name and the key. */
function verifyKeyOf(printed: string): string {
    return printed.trim().split(" ").slice(1).join(" ");
}
