import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Bytes of the file system with a server's data. */
export interface DiskSpace {
    readonly size: number;
    readonly free: number;
}

const GIB = 2 ** 30;

/** A tenth of a small disk, and of a large one what a busy server fills in some days. */
const ENOUGH = { part: 0.1, bytes: 10 * GIB };

/** Whether the one who runs the server should see to it. */
export function isNearlyFull({ size, free }: DiskSpace): boolean {
    return free < Math.min(size * ENOUGH.part, ENOUGH.bytes);
}

/** What is to be said of the disk with the data of the server in a container; nothing while that does not run. */
export async function diskWarnings(container: string, patienceMs: number): Promise<string[]> {
    const asked = promisify(execFile)("docker", ["exec", container, ...DF], { timeout: patienceMs });
    const space = await asked.then(
        ({ stdout }) => parseDf(stdout),
        () => undefined,
    );
    return space !== undefined && isNearlyFull(space) ? [asText(container, space)] : [];
}

/** Of the data volume, seen from Synapse's container: so it is the disk of the Docker host, wherever that is. */
export const DF = ["df", "-Pk", "/data"] as const;

/** POSIX's format: Filesystem, 1024-blocks, Used, Available, Capacity, Mounted on. */
export function parseDf(printed: string): DiskSpace | undefined {
    const [, size, , free] = printed.trim().split("\n").at(-1)?.split(/\s+/) ?? [];
    if (size === undefined || free === undefined || !/^\d+$/.test(size + free)) return undefined;
    return { size: Number(size) * 1024, free: Number(free) * 1024 };
}

function asText(container: string, { size, free }: DiskSpace): string {
    const gibibytes = (bytes: number) => `${(bytes / GIB).toFixed(1)} GiB`;
    return (
        `the disk with the data of ${container} is nearly full: ${gibibytes(free)} of ${gibibytes(size)} are free. ` +
        "When it is full, messages are refused, and nothing can be uploaded. See what uses it: npm run status"
    );
}
