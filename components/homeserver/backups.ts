import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../../settings/settings.ts";
import { Backup } from "../backup/backup.ts";
import type { BackedUpDatabase } from "../backup/database.ts";
import { BackupRepository } from "../backup/repository.ts";
import { Restore } from "../backup/restore.ts";
import type { SynapseData } from "../synapse/data.ts";
import type { Synapse } from "../synapse/server.ts";
import { SYNAPSE_USER } from "../synapse/user.ts";
import type { Plan } from "./parts.ts";

/** Backups, and the way back from them. */

/** The repository; undefined without the setting. */
export function makeRepository({
    name,
    settings,
    stack,
    images,
    network,
    opts,
}: Plan): BackupRepository | undefined {
    const { backup } = settings;
    if (backup === undefined || images.restic === undefined) return undefined;
    return new BackupRepository(
        `${name}-backup-repository`,
        {
            ...backup,
            prefix: settings.name,
            image: images.restic,
            synapseImage: images.synapse,
            owner: SYNAPSE_USER,
            network,
            stack,
        },
        opts,
    );
}

/** What fills an empty data volume. */
export function makeRestore(
    { name, settings, stack, images, opts }: Plan,
    repository: BackupRepository | undefined,
    dataVolume: pulumi.Output<string>,
): Restore[] {
    const { backup, restore } = settings;
    if (restore === undefined || backup === undefined || images.restic === undefined) return [];
    if (repository === undefined) return [];
    return [
        new Restore(
            `${name}-restore`,
            {
                prefix: settings.name,
                image: images.restic,
                synapseImage: images.synapse,
                owner: SYNAPSE_USER,
                serverName: settings.serverName,
                dataVolume,
                repository,
                place: backup.repository,
                snapshot: restore,
                kind: "sqlite",
                stack,
            },
            opts,
        ),
    ];
}

/** What makes backups, of a server that works. */
export function makeBackup(
    { name, settings, stack, images, opts }: Plan,
    data: SynapseData,
    synapse: Synapse,
    repository: BackupRepository | undefined,
): void {
    const { backup } = settings;
    if (backup === undefined || repository === undefined || images.restic === undefined) return;
    const database: BackedUpDatabase = { kind: "sqlite", image: images.synapse };
    new Backup(
        `${name}-backup`,
        {
            prefix: settings.name,
            image: images.restic,
            synapseImage: images.synapse,
            owner: SYNAPSE_USER,
            serverName: settings.serverName,
            dataVolume: data.volumeName,
            database,
            repository,
            every: backup.every,
            at: backup.at,
            keep: backup.keep,
            memory: settings.memory.backup,
            stack,
        },
        { ...opts, dependsOn: [synapse] },
    );
}

/** Said at each preview and `up` of a server that others use: nobody misses a backup before it is needed. */
export function warnWithoutBackup({ backup, ephemeral, tls }: Settings, server: pulumi.Resource): void {
    const isForOthers = !ephemeral && tls.mode !== "none" && tls.mode !== "local-ca";
    if (backup === undefined && isForOthers) void pulumi.log.warn(WITHOUT_BACKUP, server);
}

const WITHOUT_BACKUP =
    "nothing is backed up: if this host is lost, so are all accounts, messages and the server's identity. " +
    "Set synapse:backup; see docs/backup.md.";
