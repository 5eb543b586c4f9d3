import type { MountArgs } from "../docker/container.ts";

/** Where a repository is, as restic's container sees it. */
export interface Place {
    /** In restic's notation. */
    readonly repository: string;
    /** What holds it on the Docker host; none where it is elsewhere. */
    readonly mounts: readonly MountArgs[];
    /** Whether it is reached over the network. */
    readonly remote: boolean;
}

const TARGET = "/repository";

/** From the settings' notation: a path on the Docker host, `volume:<name>`, or restic's own. */
export function placeOf(repository: string): Place {
    const volume = /^volume:(.*)$/.exec(repository)?.[1];
    const local = (source: string, type: "volume" | "bind"): Place => ({
        repository: TARGET,
        mounts: [{ source, target: TARGET, type, readOnly: false }],
        remote: false,
    });
    if (volume !== undefined) return local(volume, "volume");
    if (repository.startsWith("/")) return local(repository, "bind");
    return { repository, mounts: [], remote: true };
}

/** The settings' `keep` as options of `restic forget`; what is 0 keeps nothing. */
export function keepOptions(keep: Readonly<Record<string, number>>): string {
    return Object.entries(keep)
        .filter(([, count]) => count > 0)
        .map(([kind, count]) => `--keep-${kind} ${count}`)
        .join(" ");
}

/** What restic and ssh are to read, by the names of the files; restic.sh finds them by these. */
export function secretFiles({
    environment,
    password,
    sftp,
}: {
    readonly password: string;
    readonly environment: Readonly<Record<string, string>>;
    readonly sftp?: { readonly privateKey: string; readonly knownHosts: string } | undefined;
}): Readonly<Record<string, string>> {
    const exports = Object.entries(environment).map(([name, value]) => `export ${name}=${quoted(value)}\n`);
    const keyLines = sftp?.privateKey.split("\n").filter((line) => !line.startsWith("-----")) ?? [];
    return {
        password: `${password}\n`,
        environment: exports.join(""),
        hidden: `${[password, ...Object.values(environment), ...keyLines].join("\n")}\n`,
        ...(sftp && { id: withNewline(sftp.privateKey), known_hosts: withNewline(sftp.knownHosts) }),
    };
}

function quoted(value: string): string {
    return `'${value.replaceAll("'", "'\\''")}'`;
}

/** ssh reads no key whose last line does not end. */
function withNewline(text: string): string {
    return text.endsWith("\n") ? text : `${text}\n`;
}
