import { readFileSync } from "node:fs";
import { type DockerHost, docker, lastLine } from "../docker.ts";
import { CommandError } from "../failure.ts";

/** A disposable container with a server's data volume. */
interface OnVolume {
    readonly dockerHost: DockerHost;
    /** Synapse's. */
    readonly image: string;
    readonly volume: string;
    readonly readOnly: boolean;
    /** `uid:gid`. */
    readonly user: string;
    readonly capabilities?: readonly string[];
    /** File of this directory with the Python program to run. */
    readonly program: string;
    /** What that reads from its standard input. */
    readonly input?: string;
}

/** Runs a program on a data volume, and returns what it prints. What it says on standard error is for people. */
export async function onVolume(args: OnVolume): Promise<string> {
    const { dockerHost, image, volume, readOnly, user, capabilities = [], program, input = "" } = args;
    const { code, stdout, stderr } = await docker(
        dockerHost,
        [
            ...["run", "--rm", "--interactive", "--network", "none", "--read-only", "--user", user],
            // The daemon would write what it prints to the host's disk.
            ...["--log-driver", "none"],
            ...["--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
            ...capabilities.flatMap((capability) => ["--cap-add", capability]),
            ...["--mount", `type=volume,src=${volume},dst=/data${readOnly ? ",readonly" : ""}`],
            ...["--entrypoint", "python3", image, "-Bc"],
            readFileSync(new URL(program, import.meta.url), "utf8"),
        ],
        { input },
    );
    if (code !== 0) throw new CommandError(lastLine(stderr) || `docker run ended with ${code ?? "a signal"}`);
    return stdout;
}

/** The volume with a server's data, by the prefix of its Docker objects. */
export function dataVolumeOf(prefix: string): string {
    return `${prefix}-data`;
}
