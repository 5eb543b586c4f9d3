import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../../settings/settings.ts";
import { Backup } from "../backup/backup.ts";
import type { BackedUpDatabase, BackedUpPostgres } from "../backup/database.ts";
import { BackupRepository } from "../backup/repository.ts";
import { Restore } from "../backup/restore.ts";
import { libpqEnvironment } from "../postgres/connection.ts";
import type { SynapseData } from "../synapse/data.ts";
import type { Synapse } from "../synapse/server.ts";
import { SYNAPSE_USER } from "../synapse/user.ts";
import type { StackDatabase } from "./database.ts";
import type { Plan } from "./parts.ts";

/** Backups, and the way back from them. */

/** The repository; undefined without the setting. */
export function makeRepository(plan: Plan): BackupRepository | undefined {
    const { name, network, opts } = plan;
    const common = commonOf(plan);
    return (
        common &&
        new BackupRepository(`${name}-backup-repository`, { ...common, ...common.backup, network }, opts)
    );
}

/** What fills an empty data volume; nothing unless it is asked for. */
export function makeRestore(
    plan: Plan,
    repository: BackupRepository | undefined,
    dataVolume: pulumi.Output<string>,
): Restore[] {
    const { name, settings, opts } = plan;
    const { database, restore, serverName } = settings;
    const common = commonOf(plan);
    if (restore === undefined || common === undefined || repository === undefined) return [];
    const args = {
        ...common,
        serverName,
        dataVolume,
        repository,
        place: common.backup.repository,
        snapshot: restore,
        kind: database.kind === "sqlite" ? "sqlite" : "postgres",
    } as const;
    return [new Restore(`${name}-restore`, args, opts)];
}

/** What fills an empty PostgreSQL database; nothing where there is none to fill. */
export function restoreDatabase(
    plan: Plan,
    restores: readonly Restore[],
    database: StackDatabase | undefined,
): pulumi.Resource[] {
    const { name, dockerOpts } = plan;
    const postgres = postgresOf(plan, database);
    if (postgres === undefined || database === undefined) return [];
    return restores.map((restore) => {
        const { parent } = dockerOpts;
        const dependsOn = [restore, database.component];
        return restore.database(
            `${name}-restore-database`,
            postgres,
            parent === undefined ? { dependsOn } : { parent, dependsOn },
        );
    });
}

/** The parts that a backup is of. */
interface BackedUp {
    readonly data: SynapseData;
    readonly database: StackDatabase | undefined;
    readonly repository: BackupRepository | undefined;
    readonly synapse: Synapse;
}

/** What makes backups, of a server that works. */
export function makeBackup(plan: Plan, { data, database, repository, synapse }: BackedUp): void {
    const { name, settings, images, opts } = plan;
    const common = commonOf(plan);
    if (common === undefined || repository === undefined) return;
    const sqlite: BackedUpDatabase = { kind: "sqlite", image: images.synapse };
    const { at, every, keep } = common.backup;
    new Backup(
        `${name}-backup`,
        {
            ...common,
            serverName: settings.serverName,
            dataVolume: data.volumeName,
            database: postgresOf(plan, database) ?? sqlite,
            repository,
            every,
            at,
            keep,
            memory: settings.memory.backup,
        },
        { ...opts, dependsOn: [synapse] },
    );
}

/** What all of them need; undefined without the setting. */
function commonOf({ settings, stack, images }: Plan) {
    const { backup, name: prefix } = settings;
    const { restic: image, synapse: synapseImage } = images;
    if (backup === undefined || image === undefined) return undefined;
    return { backup, prefix, image, synapseImage, owner: SYNAPSE_USER, stack };
}

function postgresOf(
    { images, network }: Plan,
    database: StackDatabase | undefined,
): BackedUpPostgres | undefined {
    if (database === undefined || images.postgres === undefined) return undefined;
    const { connection } = database;
    return {
        kind: "postgres",
        image: images.postgres,
        network,
        // Everything around a backup runs as one user: so what one side writes the other reads.
        environment: libpqEnvironment(connection, "synapse"),
        mounts: [connection.secrets],
    };
}

/** Said at each preview and `up` of a server that others use: nobody misses a backup before it is needed. */
export function warnWithoutBackup({ backup, ephemeral, tls }: Settings, server: pulumi.Resource): void {
    const isForOthers = !ephemeral && tls.mode !== "none" && tls.mode !== "local-ca";
    if (backup === undefined && isForOthers) void pulumi.log.warn(WITHOUT_BACKUP, server);
}

const WITHOUT_BACKUP =
    "nothing is backed up: if this host is lost, so are all accounts, messages and the server's identity. " +
    "Set synapse:backup; see docs/backup.md.";
