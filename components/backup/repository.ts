import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { MountArgs } from "../docker/container.ts";
import { script } from "../docker/script.ts";
import { SecretFiles } from "../docker/secret-files.ts";
import { task } from "../docker/task.ts";
import { placeOf, secretFiles } from "./place.ts";
import { type BackupPartArgs, withFunctions } from "./shared.ts";

/** What {@link BackupRepository} needs to know. */
export interface BackupRepositoryArgs extends BackupPartArgs {
    /** A path on the Docker host, `volume:<name>`, or restic's own notation. */
    readonly repository: string;
    readonly password: string;
    /** restic's own variables. Secret. */
    readonly environment: Readonly<Record<string, string>>;
    readonly sftp?: { readonly privateKey: string; readonly knownHosts: string } | undefined;
    readonly network: pulumi.Input<string>;
}

/** How restic runs with this repository, in tasks and in services. */
export interface ResticArgs {
    readonly environment: Readonly<Record<string, pulumi.Input<string>>>;
    readonly mounts: readonly MountArgs[];
    readonly tmpfs: Readonly<Record<string, number>>;
    /** None for a repository on the Docker host. */
    readonly network: pulumi.Input<string> | undefined;
}

/**
 * Where backups are: opened once, or made, before anything of the server is touched, so that a wrong password or an
 * address that nobody answers at is said at once and not at night.
 */
export class BackupRepository extends pulumi.ComponentResource {
    /** The repository's own id. */
    readonly repositoryId: pulumi.Output<string>;
    readonly restic: ResticArgs;

    readonly #secrets: SecretFiles;

    constructor(name: string, args: BackupRepositoryArgs, opts?: pulumi.ComponentResourceOptions) {
        super("synapse:index:BackupRepository", name, {}, opts);
        const { image, network, owner, prefix, repository, stack, synapseImage } = args;
        const place = placeOf(repository);

        this.#secrets = new SecretFiles(
            `${name}-secrets`,
            {
                volumeName: `${prefix}-backup-secrets`,
                image: synapseImage,
                files: secretFiles(args),
                owner,
                stack,
            },
            { parent: this },
        );
        // No loss: without it restic reads the repository's index again.
        const state = new docker.Volume(
            `${name}-state`,
            { name: `${prefix}-backup-state` },
            { parent: this },
        );

        const local = place.mounts.filter(({ type }) => type === "volume");
        const owned = [{ source: state.name, target: STATE, readOnly: false }, ...local];
        const ownership = task(
            `${name}-ownership`,
            {
                image: synapseImage,
                script: script(import.meta.url, "own.sh"),
                user: "0:0",
                capabilities: ["CHOWN"],
                mounts: owned,
                environment: { OWNED: owned.map(({ target }) => `${target} ${owner} 0700`).join("\n") },
            },
            stack,
            { parent: this },
        );

        this.restic = {
            environment: {
                SECRETS: this.#secrets.directory,
                RESTIC_REPOSITORY: place.repository,
                RESTIC_CACHE_DIR: `${STATE}/cache`,
            },
            mounts: [
                this.#secrets.mount,
                { source: state.name, target: STATE, readOnly: false },
                ...place.mounts,
            ],
            // Where ssh looks up who its user is.
            tmpfs: args.sftp === undefined ? {} : { "/etc": 1 },
            network: place.remote ? network : undefined,
        };
        const proof = task(
            `${name}-proof`,
            {
                image,
                script: withFunctions("prove.sh", "restic.sh"),
                user: owner,
                ...networkOf(this.restic),
                mounts: this.restic.mounts,
                tmpfs: this.restic.tmpfs,
                environment: { ...this.restic.environment, PLACE: repository },
            },
            stack,
            { parent: this, dependsOn: [ownership] },
        );
        this.repositoryId = proof.stdout.apply((printed) => printed.trim());
        this.registerOutputs({ repositoryId: this.repositoryId });
    }

    /** Removes secrets that are kept for nobody any more, once those that `opts` names run with their own. */
    removeOldSecrets(name: string, opts: pulumi.CustomResourceOptions): void {
        this.#secrets.removeOthers(name, opts);
    }
}

const STATE = "/state";

/** As `exactOptionalPropertyTypes` wants it. */
export function networkOf({ network }: ResticArgs): { readonly network?: pulumi.Input<string> } {
    return network === undefined ? {} : { network };
}
