import { parseArgs } from "node:util";
import { docker } from "./docker.ts";
import { carryOut } from "./failure.ts";
import { findServer, type Server, STACK_OPTION } from "./server.ts";
import { backupFaults, lastBackup } from "./status/backup.ts";
import { servedCertificate } from "./status/certificate.ts";
import { imageReferences, inspectContainers, servicesOf } from "./status/containers.ts";
import { freeSpace, volumeSizes } from "./status/disk.ts";
import { faultsOf, inWords, type Report } from "./status/report.ts";
import { sizesOf } from "./status/sizes.ts";

const USAGE = `Says how a stack's server is. The exit code is 1 when something that should run does not.

  npm run status -- [--stack NAME] [--json]
`;

await carryOut({ usage: USAGE, run: status });

async function status(args: readonly string[]): Promise<number> {
    const options = { ...STACK_OPTION, json: { type: "boolean", default: false } } as const;
    const { values } = parseArgs({ args: [...args], options });
    const report = await reportOn(await findServer(values.stack));
    process.stdout.write(`${values.json ? JSON.stringify(report, null, 2) : inWords(report)}\n`);
    return report.faults.length === 0 ? 0 : 1;
}

async function reportOn(server: Server): Promise<Report> {
    const containers = await inspectContainers(server);
    const [references, synapseVersion, certificate, volumes, disk, sizes, backup] = await Promise.all([
        imageReferences(server.dockerHost, containers),
        versionOf(server),
        servedCertificate(server.clientUrl),
        volumeSizes(server, containers),
        freeSpace(server),
        sizesOf(server),
        lastBackup(server, containers),
    ]);
    const services = servicesOf(server, containers, references);
    return {
        stack: server.stack,
        clientUrl: server.clientUrl,
        synapseVersion: synapseVersion ?? null,
        services,
        certificate,
        volumes: volumes ?? null,
        disk: disk ?? null,
        sizes: sizes ?? null,
        backup,
        warnings: server.warnings,
        faults: [...faultsOf(services, certificate), ...backupFaults(backup)],
    };
}

/** From inside the container: outside, and without federation, nobody is told. */
async function versionOf({ containerName, dockerHost }: Server): Promise<string | undefined> {
    const url = "http://127.0.0.1:8008/_synapse/admin/v1/server_version";
    const asked = await docker(dockerHost, ["exec", containerName, "curl", "-fsS", "--max-time", "5", url], {
        patience: 10_000,
    });
    return /"server_version":\s*"([^"]+)"/.exec(asked.stdout)?.[1];
}
