import type { FieldFault } from "./faults.ts";
import { isRecord, type Written, writtenAt } from "./written.ts";

/** Secrets below `tls`. */
const IN_TLS = ["challenge.credentials", "externalAccount.hmacKey"];

/** Secrets below `backup`. */
const IN_BACKUP = ["password", "environment", "sftp.privateKey"];

/** What is never repeated, wherever it stands; what is set with `--secret` is hidden as a whole. */
export const NEVER_SHOWN: ReadonlySet<PropertyKey | undefined> = new Set([
    "secretConfig",
    "environment",
    "sftp",
    ...IN_TLS.map((path) => path.split(".").at(-1)),
    "password",
]);

/** A secret in the settings, and the top-level setting that it stands in: Pulumi knows of no smaller part whether it is one. */
export interface SecretSetting {
    readonly setting: string;
    readonly key: string;
}

/** Which secrets a stack's settings hold. */
export function secretSettings({ backup, database, tls, secretConfig }: Written): SecretSetting[] {
    const password = writtenAt(database, "password");
    const inTls = IN_TLS.filter((path) => {
        const value = writtenAt(tls, path);
        return typeof value === "string" && value !== "";
    });
    const inBackup = IN_BACKUP.filter((path) => !isNothing(writtenAt(backup, path)));
    const options = Object.keys(isRecord(secretConfig) ? secretConfig : {});
    return [
        ...(typeof password === "string" && password !== ""
            ? [{ setting: "database", key: "database.password" }]
            : []),
        ...inTls.map((path) => ({ setting: "tls", key: `tls.${path}` })),
        ...inBackup.map((path) => ({ setting: "backup", key: `backup.${path}` })),
        ...options.map((option) => ({ setting: "secretConfig", key: `secretConfig.${option}` })),
    ];
}

function isNothing(value: unknown): boolean {
    return value === undefined || value === "" || (isRecord(value) && Object.keys(value).length === 0);
}

export function inTheClear({ key }: SecretSetting): FieldFault {
    return {
        key,
        got: "plain text",
        wanted: "a secret: Pulumi keeps it encrypted then, and previews show nothing of it",
        fix: `pulumi config set --secret --path synapse:${key}; and if anybody else could read the file, another secret`,
    };
}
