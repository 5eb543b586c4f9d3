import { columns } from "../columns.ts";
import { docker, lastLine, mustDocker } from "../docker.ts";
import { CommandError } from "../failure.ts";
import type { Server } from "../server.ts";

/** A dump of the database, made before another image ran on it. */
export interface Dump {
    /** `2026-01-31T120000Z-synapse-1.163.2`. */
    readonly name: string;
    readonly kind: "postgres" | "sqlite";
    /** When it was made, ISO 8601. */
    readonly time: string;
    /** Version of Synapse that had run until then. */
    readonly version: string;
    /** Its image as the settings named it; empty when that is not known. */
    readonly image: string;
    readonly bytes: number;
}

const LIST = `cd /dumps
for dump in 2*; do
    [ ! -e "$dump/kind" ] || printf '%s|%s|%s|%s\\n' "$dump" "$(cat "$dump/kind")" "$(cat "$dump/image")" \\
        "$(stat -c %s "$dump/database")"
done`;

/** The dumps of a stack, the oldest first. */
export async function listDumps(server: Server): Promise<Dump[]> {
    const { containerName, dockerHost } = server;
    const volume = `${containerName}-dumps`;
    const { code, stderr } = await docker(dockerHost, ["volume", "inspect", volume]);
    if (code !== 0)
        throw new CommandError(
            `There are no dumps: the volume ${volume} is not there (${lastLine(stderr)}). They are made unless synapse:upgrade.dump is false.`,
        );
    const printed = await mustDocker(dockerHost, [
        "run",
        "--rm",
        "--network=none",
        `--mount=type=volume,src=${volume},dst=/dumps,readonly`,
        "--user=0:0",
        "--cap-drop=ALL",
        "--cap-add=DAC_READ_SEARCH",
        "--entrypoint=/bin/sh",
        await imageOf(server, containerName),
        "-euc",
        LIST,
    ]);
    return printed.split("\n").flatMap((line) => dumpOf(line) ?? []);
}

/** The image of a container, which is on its host. */
export async function imageOf({ dockerHost }: Server, container: string): Promise<string> {
    return (
        await mustDocker(dockerHost, ["container", "inspect", "--format", "{{.Image}}", container])
    ).trim();
}

export function dumpOf(line: string): Dump | undefined {
    const [name = "", kind, image = "", bytes = ""] = line.split("|");
    const [, date, hours, minutes, seconds, version] =
        /^(\d{4}-\d\d-\d\d)T(\d\d)(\d\d)(\d\d)Z-synapse-(.+)$/.exec(name) ?? [];
    if (version === undefined || (kind !== "postgres" && kind !== "sqlite")) return undefined;
    return {
        name,
        kind,
        time: `${date}T${hours}:${minutes}:${seconds}Z`,
        version,
        image,
        bytes: Number(bytes),
    };
}

export function table(dumps: readonly Dump[]): string {
    if (dumps.length === 0) return "There is no dump.";
    return columns(
        dumps.map(({ name, version, image, bytes }) => [
            name,
            `Synapse ${version}`,
            image,
            `${Math.ceil(bytes / 1024 / 1024)} MiB`,
        ]),
    );
}
