import { DF, type DiskSpace, isNearlyFull, parseDf } from "../../components/verification/disk.ts";
import { docker } from "../docker.ts";
import type { Server } from "../server.ts";
import type { Inspected } from "./containers.ts";

/** A volume of the stack. */
export interface VolumeStatus {
    readonly name: string;
    /** As Docker writes it: `12.3MB`. */
    readonly size: string;
}

/** The file system with the server's data. */
export interface DiskStatus extends DiskSpace {
    readonly nearlyFull: boolean;
}

/** Docker adds up every file of every volume on the host for it, so it is given a while and no more. */
const PATIENCE_MS = 20_000;

/** What the volumes of the stack's containers hold; undefined when Docker does not say so in time. */
export async function volumeSizes(
    { dockerHost }: Server,
    containers: readonly Inspected[],
): Promise<VolumeStatus[] | undefined> {
    const own = new Set(containers.flatMap(({ Mounts }) => Mounts.flatMap(({ Name }) => Name ?? [])));
    const format = "{{json .Volumes}}";
    const asked = await docker(dockerHost, ["system", "df", "--verbose", "--format", format], {
        patience: PATIENCE_MS,
    });
    if (asked.code !== 0) return undefined;
    const volumes = JSON.parse(asked.stdout) as readonly { readonly Name: string; readonly Size: string }[];
    return volumes
        .filter(({ Name }) => own.has(Name))
        .map(({ Name, Size }) => ({ name: Name, size: Size }))
        .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** Docker's root directory, as seen from the server's data; undefined while the container does not run. */
export async function freeSpace({ containerName, dockerHost }: Server): Promise<DiskStatus | undefined> {
    const asked = await docker(dockerHost, ["exec", containerName, ...DF], { patience: 10_000 });
    const space = asked.code === 0 ? parseDf(asked.stdout) : undefined;
    return space && { ...space, nearlyFull: isNearlyFull(space) };
}
