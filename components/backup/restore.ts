import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { script } from "../docker/script.ts";
import { task } from "../docker/task.ts";
import type { BackedUpDatabase, BackedUpPostgres } from "./database.ts";
import { type BackupRepository, networkOf } from "./repository.ts";
import { type BackupPartArgs, withFunctions } from "./shared.ts";

/** What {@link Restore} needs to know. */
export interface RestoreArgs extends BackupPartArgs {
    readonly serverName: string;
    readonly dataVolume: pulumi.Input<string>;
    readonly repository: BackupRepository;
    /** The repository, as the settings name it. */
    readonly place: string;
    /** Name of a backup, or `latest`. */
    readonly snapshot: string;
    readonly kind: BackedUpDatabase["kind"];
}

/**
 * Fills an empty data volume from a backup, before the server's identity would be made there. Once that is done it
 * does nothing, which the volume itself knows: the setting may stay.
 */
export class Restore extends pulumi.ComponentResource {
    readonly #args: RestoreArgs;
    readonly #staging: docker.Volume;

    constructor(name: string, args: RestoreArgs, opts?: pulumi.ComponentResourceOptions) {
        super("synapse:index:Restore", name, {}, opts);
        this.#args = args;
        const { dataVolume, kind, owner, place, prefix, repository, serverName, snapshot, stack } = args;
        // The dump of a PostgreSQL database, from here until it is in the database.
        this.#staging = new docker.Volume(`${name}-staging`, { name: `${prefix}-restore` }, { parent: this });
        const mounts = [
            { source: dataVolume, target: "/data", readOnly: false },
            { source: this.#staging.name, target: "/staging", readOnly: false },
        ];
        const ownership = task(
            `${name}-ownership`,
            {
                image: args.synapseImage,
                script: script(import.meta.url, "own.sh"),
                user: "0:0",
                capabilities: ["CHOWN"],
                mounts,
                environment: { OWNED: `/data ${owner} 0755\n/staging ${owner} 0700` },
            },
            stack,
            { parent: this },
        );
        const { restic } = repository;
        task(
            `${name}-files`,
            {
                image: args.image,
                script: withFunctions("restore.sh", "restic.sh"),
                user: owner,
                ...networkOf(restic),
                mounts: [...restic.mounts, ...mounts],
                tmpfs: restic.tmpfs,
                environment: {
                    ...restic.environment,
                    SNAPSHOT: snapshot,
                    SERVER_NAME: serverName,
                    HOST: prefix,
                    KIND: kind,
                    PLACE: place,
                },
            },
            stack,
            { parent: this, dependsOn: [ownership, repository] },
        );
        this.registerOutputs({});
    }

    /** The database, once PostgreSQL accepts queries. */
    database(
        name: string,
        { environment, image, mounts, network }: BackedUpPostgres,
        opts: pulumi.CustomResourceOptions,
    ): pulumi.Resource {
        const { dataVolume, owner, stack } = this.#args;
        return task(
            name,
            {
                image,
                script: script(import.meta.url, "restore-database.sh"),
                user: owner,
                network,
                mounts: [
                    { source: dataVolume, target: "/data", readOnly: false },
                    { source: this.#staging.name, target: "/staging", readOnly: false },
                    ...mounts,
                ],
                environment,
            },
            stack,
            opts,
        );
    }
}
