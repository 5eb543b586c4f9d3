import { z } from "zod";
import type { FieldFault } from "./faults.ts";
import { text, wholeNumber } from "./kinds.ts";
import type { Given } from "./schema.ts";

/** Where backups go, how often, and how long they are kept. */
export type Backup = NonNullable<z.output<typeof backup>>;

const REPOSITORY =
    "an absolute path on the Docker host, volume:<name>, sftp:<user>@<host>:<path>, s3:https://<host>/<bucket>, or another of restic's: rest:, b2:, azure:, gs:, swift:";
const REMOTE = /^(?:sftp|s3|rest|b2|azure|gs|swift):[^\s'"]+$/;
const PATH = /^\/(?!(?:.*\/)?\.\.(?:\/|$))[^,"'\s]*$/;
const VOLUME = /^volume:[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const WITHOUT_PASSWORD =
    "a repository without a password in it: give RESTIC_REST_USERNAME and RESTIC_REST_PASSWORD in backup.environment";

const repository = z
    .string({ error: REPOSITORY })
    .refine((value) => [REMOTE, PATH, VOLUME].some((pattern) => pattern.test(value)), { error: REPOSITORY })
    .refine((value) => !hasPassword(value), { error: WITHOUT_PASSWORD })
    .describe(
        "Where backups go, as restic writes it: an absolute path on the Docker host, `volume:<name>` for a Docker volume, `sftp:user@host:/path`, `s3:https://host/bucket`, `rest:https://host/`, `b2:bucket:path`, …",
    );

const password = z
    .string({ error: "the password that encrypts the backups, 12 characters or more, on one line" })
    .min(12, { error: "a password of 12 characters or more" })
    .regex(/^[^\r\n]+$/, { error: "a password on one line" })
    .describe(
        "Encrypts the backups. Secret: set it with `--secret`, and keep it where it survives this server: nothing can be restored without it.",
    );

const VARIABLE = "a variable that restic knows, such as AWS_ACCESS_KEY_ID or B2_ACCOUNT_KEY";
const OURS: Readonly<Record<string, string>> = {
    RESTIC_PASSWORD: "backup.password",
    RESTIC_PASSWORD_FILE: "backup.password",
    RESTIC_PASSWORD_COMMAND: "backup.password",
    RESTIC_REPOSITORY: "backup.repository",
    RESTIC_REPOSITORY_FILE: "backup.repository",
};
const VARIABLES =
    /^(?:AWS|B2|AZURE|GOOGLE|OS|ST|RESTIC|RCLONE)_[A-Z0-9_]+$|^(?:https?|all|no)_proxy$|^(?:HTTPS?|ALL|NO)_PROXY$/;

const environment = z
    .record(z.string(), text(/^[^\r\n]*$/, "a text on one line"), {
        error: "restic's variables by their names",
    })
    .superRefine((variables, context) => {
        for (const name of Object.keys(variables)) {
            const owner = OURS[name];
            if (VARIABLES.test(name) && owner === undefined) continue;
            context.addIssue({
                code: "custom",
                path: [name],
                message: owner === undefined ? VARIABLE : `nothing here: the setting ${owner} says it`,
                params: { fix: `pulumi config rm --path synapse:backup.environment.${name}` },
                input: "a variable",
            });
        }
    })
    .default({})
    .describe(
        "Variables that restic reads, such as `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`. Secret: set them with `--secret`.",
    );

const sftp = z
    .strictObject({
        privateKey: text(
            /^-----BEGIN [A-Z ]*PRIVATE KEY-----\n[\s\S]+\n-----END [A-Z ]*PRIVATE KEY-----\n?$/,
            "a private key of ssh's, without a passphrase, with its first and its last line",
        ).describe("Private key that logs in there, without a passphrase. Secret: set it with `--secret`."),
        knownHosts: text(
            /^\S+ \S+ \S+/,
            "lines as ssh-keyscan prints them: <host> ssh-ed25519 AAAA…",
        ).describe("The host's public keys, as `ssh-keyscan <host>` prints them and you have compared them."),
    })
    .optional()
    .describe("How an `sftp:` repository is reached.");

const kept = (what: string) => wholeNumber(`how many ${what} to keep, from 0 to 1000`, 0, 1000);
const keep = z
    .strictObject({
        last: kept("backups").default(0).describe("The newest so many."),
        hourly: kept("hours").default(0).describe("The newest of each of so many hours."),
        daily: kept("days").default(7).describe("The newest of each of so many days."),
        weekly: kept("weeks").default(4).describe("The newest of each of so many weeks."),
        monthly: kept("months").default(6).describe("The newest of each of so many months."),
        yearly: kept("years").default(0).describe("The newest of each of so many years."),
    })
    .refine((counts) => Object.values(counts).some((count) => count > 0), {
        error: "at least one that is not 0: backups that are kept nowhere are none",
    })
    .prefault({})
    .describe("Which backups are kept, in the words of `restic forget`; others are removed after each run.");

const TIME = 'a time of day in UTC, "03:00"';

export const backup = z
    .strictObject({
        repository,
        password,
        environment,
        sftp,
        every: wholeNumber("a whole number of hours from 1 to 168", 1, 168)
            .default(24)
            .describe("Hours from one backup to the next."),
        at: text(/^(?:[01]\d|2[0-3]):[0-5]\d$/, TIME)
            .default("03:00")
            .describe("Time of day in UTC at which one begins; the others follow from `every`."),
        keep,
    })
    .superRefine(({ repository, sftp }, context) => {
        const isSftp = repository.startsWith("sftp:");
        if (isSftp && sftp === undefined)
            context.addIssue({
                code: "custom",
                path: ["sftp"],
                message: "privateKey and knownHosts, with which the repository is reached",
                params: {
                    fix: "pulumi config set --secret --path synapse:backup.sftp.privateKey <id_ed25519; pulumi config set --path synapse:backup.sftp.knownHosts <known_hosts",
                },
            });
        if (!isSftp && sftp !== undefined)
            context.addIssue({
                code: "custom",
                path: ["sftp"],
                message: `nothing: the repository ${repository.split(":", 1)[0] ?? ""} is not reached by ssh`,
                params: { fix: "pulumi config rm --path synapse:backup.sftp" },
            });
    })
    .optional()
    .describe(
        "Backups with restic: encrypted, without repetitions, to a place of your choice. None when left out, which `pulumi up` of a server that others use warns of. See docs/backup.md.",
    );

/** A user's password in a URL: it would stand in previews, in `docker inspect` and in every message. */
function hasPassword(repository: string): boolean {
    return /\/\/[^/@]*:[^/@]*@/.test(repository);
}

const RUN = /^(?:latest|\d{8}T\d{6}Z-[0-9a-f]{6})$/;

export const restore = z
    .string({ error: "latest, or a backup's name" })
    .regex(RUN, {
        error: "latest, or a backup as `npm run backup -- --list` names it: 20260301T030000Z-1a2b3c",
    })
    .optional()
    .describe(
        "The backup that an empty data volume is filled with before the server starts: `latest`, or its name. Does nothing once that is done. See docs/backup.md.",
    );

/** A restore needs to know from where. */
export function restoreFaults({ backup, restore }: Pick<Given, "backup" | "restore">): FieldFault[] {
    if (restore === undefined || backup !== undefined) return [];
    return [
        {
            key: "restore",
            got: JSON.stringify(restore),
            wanted: "the setting backup beside it: where the backups are, and their password",
            fix: "pulumi config set --path synapse:backup.repository <repository>; pulumi config set --secret --path synapse:backup.password <password>",
        },
    ];
}
