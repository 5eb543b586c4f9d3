import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { type Service, type ServiceContainerArgs, serviceContainer } from "../docker/container.ts";
import { FileVolume } from "../docker/files.ts";
import { script } from "../docker/script.ts";
import { task } from "../docker/task.ts";
import { type BackedUpDatabase, FILES } from "./database.ts";
import { keepOptions } from "./place.ts";
import type { BackupRepository } from "./repository.ts";
import { type BackupPartArgs, withFunctions } from "./shared.ts";

/** What {@link Backup} needs to know. */
export interface BackupArgs extends BackupPartArgs {
    readonly serverName: string;
    readonly dataVolume: pulumi.Input<string>;
    readonly database: BackedUpDatabase;
    readonly repository: BackupRepository;
    /** Hours. */
    readonly every: number;
    /** Time of day in UTC, `03:00`. */
    readonly at: string;
    /** How many of each kind are kept, in restic's words. */
    readonly keep: Readonly<Record<string, number>>;
    /** MiB. */
    readonly memory: number;
}

/** Seconds that one side of the pipe may be silent, and that the database may take to send anything. */
const PATIENCE = "60";
const STALL = "900";

/**
 * Makes backups: a container with restic, and beside it one of an image that can dump the database, since no image
 * can do both. They meet on a volume, in a pipe: a dump is stored nowhere but in the repository.
 */
export class Backup extends pulumi.ComponentResource {
    constructor(name: string, args: BackupArgs, opts?: pulumi.ComponentResourceOptions) {
        super("synapse:index:Backup", name, {}, opts);
        const { owner, prefix, repository, stack } = args;
        const pipe = new docker.Volume(`${name}-pipe`, { name: `${prefix}-backup-pipe` }, { parent: this });
        const ownership = task(
            `${name}-ownership`,
            {
                image: args.synapseImage,
                script: script(import.meta.url, "own.sh"),
                user: "0:0",
                capabilities: ["CHOWN"],
                mounts: [{ source: pipe.name, target: "/pipe", readOnly: false }],
                environment: { OWNED: `/pipe ${owner} 0700` },
            },
            stack,
            { parent: this },
        );
        const scripts = new FileVolume(
            `${name}-scripts`,
            {
                prefix: `${prefix}-backup-scripts`,
                image: args.image,
                files: scriptFiles(args.database.kind),
                stack,
            },
            { parent: this },
        );
        const files = { scripts: scripts.volumeName, pipe: pipe.name };
        const dependsOn = [ownership, scripts];
        const dumper = serviceContainer(`${name}-database`, dumperService(args, files), stack, {
            parent: this,
            dependsOn,
        });
        const restic: Service = serviceContainer(`${name}-container`, resticService(args, files), stack, {
            parent: this,
            dependsOn: [...dependsOn, dumper.ready],
        });
        repository.removeOldSecrets(`${name}-old-secrets`, { parent: this, dependsOn: [restic.ready] });
        this.registerOutputs({});
    }
}

/** Volumes that both sides mount. */
interface Files {
    readonly scripts: pulumi.Input<string>;
    readonly pipe: pulumi.Input<string>;
}

function scriptFiles(kind: BackedUpDatabase["kind"]) {
    const plain = ["dump.py", "receive.sh", "health.sh"];
    return [
        ...plain.map((file) => ({ name: file, content: script(import.meta.url, file) })),
        { name: "dump.sh", content: withFunctions("dump.sh", `dump-${kind}.sh`) },
        { name: "run.sh", content: withFunctions("run.sh", "restic.sh") },
        { name: "list.sh", content: withFunctions("list.sh", "restic.sh") },
        { name: "backup.sh", content: withFunctions("backup.sh", "schedule.sh") },
    ];
}

/** Docker would make one without a name for each of the PostgreSQL image's own. */
const IN_PLACE_OF_VOLUMES = { "/var/lib/postgresql": 1, "/var/lib/postgresql/data": 1 };

function dumperService({ dataVolume, database, owner, prefix }: BackupArgs, { pipe, scripts }: Files) {
    const isSqlite = database.kind === "sqlite";
    return {
        name: `${prefix}-backup-database`,
        image: database.image,
        user: owner,
        entrypoint: ["/bin/sh", "/scripts/dump.sh"],
        environment: { PATIENCE, ...(isSqlite ? {} : database.environment) },
        mounts: [
            { source: pipe, target: "/pipe", readOnly: false },
            { source: scripts, target: "/scripts" },
            // SQLite writes into it to read what a server that was killed has left.
            ...(isSqlite ? [{ source: dataVolume, target: "/data", readOnly: false }] : database.mounts),
        ],
        tmpfs: { "/tmp": 64, ...(isSqlite ? {} : IN_PLACE_OF_VOLUMES) },
        ...(isSqlite ? {} : { network: { name: database.network, aliases: ["backup-database"] } }),
        health: {
            command: ["/bin/sh", "-c", "[ $(($(date +%s) - $(stat -c %Y /pipe/alive))) -lt 30 ]"],
            interval: 10,
            startPeriod: 10,
            patience: 60,
        },
        memory: 512,
        stopGracePeriod: 10,
    } satisfies ServiceContainerArgs;
}

function resticService(args: BackupArgs, { pipe, scripts }: Files): ServiceContainerArgs {
    const { at, every, keep, prefix, repository, serverName } = args;
    const { environment, mounts, network, tmpfs } = repository.restic;
    return {
        name: `${prefix}-backup`,
        // restic takes the lock of one that died for its own by this name.
        hostname: `${prefix}-backup`,
        image: args.image,
        user: args.owner,
        entrypoint: ["/bin/sh", "/scripts/backup.sh"],
        environment: {
            ...environment,
            REPOSITORY_ID: repository.repositoryId,
            HOST: prefix,
            SERVER_NAME: serverName,
            DUMP_NAME: FILES[args.database.kind],
            EVERY: String(every),
            AT: at,
            KEEP: keepOptions(keep),
            PATIENCE,
            STALL,
        },
        mounts: [
            ...mounts,
            { source: args.dataVolume, target: "/data" },
            { source: pipe, target: "/pipe", readOnly: false },
            { source: scripts, target: "/scripts" },
        ],
        tmpfs: { "/tmp": 64, ...tmpfs },
        ...(network === undefined ? {} : { network: { name: network, aliases: ["backup"] } }),
        health: { command: ["/bin/sh", "/scripts/health.sh"], interval: 30, startPeriod: 30, patience: 60 },
        memory: args.memory,
        stopGracePeriod: 30,
    };
}
