import { columns } from "../columns.ts";
import { type BackupStatus, backupInWords } from "./backup.ts";
import type { CertificateStatus } from "./certificate.ts";
import { faultOf, type ServiceStatus } from "./containers.ts";
import type { DiskStatus, VolumeStatus } from "./disk.ts";
import type { Sizes } from "./sizes.ts";

/** All that `npm run status` has found out, as `--json` prints it. */
export interface Report {
    readonly stack: string;
    readonly clientUrl: string;
    readonly synapseVersion: string | null;
    readonly services: readonly ServiceStatus[];
    /** Null where the stack serves no certificate. */
    readonly certificate: CertificateStatus | null;
    /** Null when Docker did not say in time. */
    readonly volumes: readonly VolumeStatus[] | null;
    readonly disk: DiskStatus | null;
    /** Null while the server does not run, or when it did not say in time. */
    readonly sizes: Sizes | null;
    /** The last good backup; null where the stack makes none, and undefined when its container does not say. */
    readonly backup: BackupStatus | null | undefined;
    /** What the last deployment said the internet does not do for the server. */
    readonly warnings: readonly string[];
    /** What is not as it should be: with any of these the exit code is 1. */
    readonly faults: readonly string[];
}

/** What is wrong beyond doubt. */
export function faultsOf(
    services: readonly ServiceStatus[],
    certificate: CertificateStatus | null,
): string[] {
    const expired = certificate !== null && "days" in certificate && certificate.days < 0;
    return [
        ...services.flatMap((service) => faultOf(service) ?? []),
        ...(expired ? [`the certificate has expired on ${certificate.expires.slice(0, 10)}`] : []),
    ];
}

/** For people. */
export function inWords(report: Report): string {
    const {
        stack,
        clientUrl,
        synapseVersion,
        services,
        certificate,
        volumes,
        disk,
        sizes: held,
        warnings,
        faults,
    } = report;
    const facts: (readonly [string, string])[] = [
        ["stack", stack],
        ["clients", clientUrl],
        ["Synapse", synapseVersion ?? "does not say its version"],
        ["certificate", certificate === null ? "none" : certificateInWords(certificate)],
        ["backup", backupInWords(report.backup)],
        ["disk", disk === null ? "not known" : diskInWords(disk)],
        ["database", databaseInWords(held?.database ?? null)],
        ["media", mediaInWords(held?.media ?? null)],
    ];
    const sizes =
        volumes === null
            ? "  Docker did not say in time"
            : indented(columns(volumes.map(({ name, size }) => [name, size])));
    return [
        columns(facts),
        `\ncontainers\n${indented(columns(services.map(serviceRow)))}`,
        `\nvolumes\n${sizes}`,
        ...(warnings.length === 0 ? [] : [`\nwarnings of the last deployment\n${list(warnings)}`]),
        faults.length === 0 ? "\nAll is well." : `\nNot well\n${list(faults)}`,
    ].join("\n");
}

function serviceRow({ service, state, health, version, image, since, restarts }: ServiceStatus): string[] {
    return [
        service,
        health === null ? state : `${state}, ${health}`,
        since === null ? "" : `since ${since.slice(0, 16).replace("T", " ")} UTC`,
        restarts === 0 ? "" : `restarted ${restarts} times`,
        version ?? "",
        image,
    ];
}

function diskInWords({ free, size, nearlyFull }: DiskStatus): string {
    return `${gibibytes(free)} of ${gibibytes(size)} free${nearlyFull ? ": nearly full" : ""}`;
}

function databaseInWords(database: Sizes["database"]): string {
    if (database === null) return "not known";
    const kind = { sqlite: "SQLite", postgres: "PostgreSQL" }[database.kind];
    return `${mebibytes(database.bytes)}, ${kind}`;
}

function mediaInWords(media: Sizes["media"]): string {
    if (media === null) return "not known";
    return `${mebibytes(media.local)} of this server's users, ${mebibytes(media.remote)} of other servers`;
}

function mebibytes(bytes: number): string {
    return bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : gibibytes(bytes);
}

function certificateInWords(certificate: CertificateStatus): string {
    if ("unknown" in certificate) return `not known: ${certificate.unknown}`;
    const { days, expires } = certificate;
    return days < 0
        ? `expired on ${expires.slice(0, 10)}`
        : `${days} days left, until ${expires.slice(0, 10)}`;
}

function gibibytes(bytes: number): string {
    return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

function list(lines: readonly string[]): string {
    return lines.map((line) => `  - ${line}`).join("\n");
}

function indented(text: string): string {
    return text.replaceAll(/^/gm, "  ");
}
