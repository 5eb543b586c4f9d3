import Docker from "dockerode";
import type { Values } from "./inputs.ts";
import { Refusal } from "./refusal.ts";

const PREFIX = "embedded-engine.";

/** Labels on everything this engine makes: all it knows of earlier runs, so nothing is lost with a file. */
export const LABELS = {
    /** `project/stack` the object belongs to. */
    stack: `${PREFIX}stack`,
    urn: `${PREFIX}urn`,
    /** The name it was made for: a container with another name is the leftover of an interrupted run. */
    name: `${PREFIX}name`,
    /** Of the inputs it was made from. */
    digest: `${PREFIX}digest`,
    /** Of the replacement trigger it was made with. */
    trigger: `${PREFIX}trigger`,
    /** Sorts objects by when they were made. */
    created: `${PREFIX}created`,
    /** Present on what only `down --volumes` may remove. */
    protect: `${PREFIX}protect`,
    /** Seconds a container gets to stop. */
    grace: `${PREFIX}grace`,
    /** URNs of the containers it needs, which have to stop after it. */
    needs: `${PREFIX}needs`,
} as const;

export type Kind = "container" | "network" | "volume";

/** One Docker object, as a listing shows it. */
export interface Found {
    readonly kind: Kind;
    readonly id: string;
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    /** Made by this engine for this stack. */
    readonly mine: boolean;
    /** Of a container: the volumes and networks it uses, by name. */
    readonly uses: readonly string[];
}

export function connect(): Docker {
    const host = dockerHost();
    if (!/^(unix|tcp|https?):\/\//.test(host)) {
        throw new Refusal(
            `DOCKER_HOST is ${host}: the embedded engine speaks only unix:// and tcp://; use \`pulumi up\``,
        );
    }
    return new Docker(); // reads DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH
}

export function dockerHost(): string {
    return process.env.DOCKER_HOST || "unix:///var/run/docker.sock";
}

/** Everything on the Docker engine, in three requests. */
export async function survey(docker: Docker, stack: string): Promise<Found[]> {
    const [containers, networks, volumes] = await Promise.all([
        docker.listContainers({ all: true }),
        docker.listNetworks(),
        docker.listVolumes(),
    ]).catch(unreachable);
    const object = (
        kind: Kind,
        id: string,
        name: string,
        given: Record<string, string> | null,
        uses: string[] = [],
    ) => {
        const labels = given ?? {};
        return { kind, id, name, labels, mine: labels[LABELS.stack] === stack, uses };
    };
    return [
        ...containers.map(({ Id, Names, Labels, Mounts, NetworkSettings }) => {
            const mounted = Mounts.flatMap(({ Name }) => Name ?? []);
            const name = Names[0]?.replace("/", "") ?? Id;
            return object("container", Id, name, Labels, [
                ...mounted,
                ...Object.keys(NetworkSettings.Networks),
            ]);
        }),
        ...networks.map(({ Id, Name, Labels }) => object("network", Id, Name, Labels ?? null)),
        ...volumes.Volumes.map(({ Name, Labels }) => object("volume", Name, Name, Labels)),
    ];
}

function unreachable(error: Error): never {
    throw new Refusal(`no Docker engine answers at ${dockerHost()}: ${error.message}`);
}

/** The image's id and, when it came from a registry, its digest there. Pulls it only if it is not here. */
export async function ensureImage(
    docker: Docker,
    name: string,
): Promise<{ id: string; repoDigest: string; pulled: boolean }> {
    const inspect = async (pulled: boolean) => {
        const { Id, RepoDigests } = await docker.getImage(name).inspect();
        return { id: Id, repoDigest: RepoDigests?.[0] ?? "", pulled };
    };
    try {
        return await inspect(false);
    } catch (error) {
        if (statusOf(error) !== 404) throw error;
    }
    if (name.startsWith("sha256:")) throw new Refusal(`the image ${name} is not on this machine`);
    try {
        // Without a tag Docker would pull every tag there is.
        const stream = await docker.pull(/(:[^/]+|@.+)$/.test(name) ? name : `${name}:latest`);
        await new Promise<void>((resolve, reject) => {
            docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve()));
        });
    } catch (error) {
        throw new Refusal(
            `the image ${name} is not on this machine and cannot be pulled: ${(error as Error).message}`,
        );
    }
    return inspect(true);
}

/** Removes what {@link survey} found. A container is given its own time to stop. Gone already is fine. */
export async function remove(docker: Docker, { kind, id, labels }: Found): Promise<void> {
    try {
        if (kind === "volume") return void (await docker.getVolume(id).remove());
        if (kind === "network") return void (await docker.getNetwork(id).remove());
        const container = docker.getContainer(id);
        await tolerate([304], container.stop({ t: Number(labels[LABELS.grace] ?? 10) }));
        // `v`: its anonymous volumes go with it. 409: another request is already removing it.
        await tolerate([409], container.remove({ v: true, force: true }));
    } catch (error) {
        if (statusOf(error) !== 404) throw error;
    }
}

/** Whether what {@link survey} found is still there. */
export async function exists(docker: Docker, { kind, id }: Found): Promise<boolean> {
    const object = {
        container: docker.getContainer(id),
        network: docker.getNetwork(id),
        volume: docker.getVolume(id),
    };
    try {
        await object[kind].inspect();
        return true;
    } catch (error) {
        if (statusOf(error) === 404) return false;
        throw error;
    }
}

/** The last lines a container wrote. */
export async function lastLines(docker: Docker, id: string, tail: number): Promise<string> {
    const container = docker.getContainer(id);
    const { Config } = await container.inspect();
    const raw = await container.logs({ stdout: true, stderr: true, tail });
    if (Config.Tty) return raw.toString();
    const parts: Buffer[] = [];
    // Each part is preceded by eight bytes: which stream, and how long.
    for (let at = 0; at + 8 <= raw.length; ) {
        const end = at + 8 + raw.readUInt32BE(at + 4);
        parts.push(raw.subarray(at + 8, end));
        at = end;
    }
    return Buffer.concat(parts).toString().trimEnd();
}

export async function tolerate(statuses: readonly number[], request: Promise<unknown>): Promise<void> {
    try {
        await request;
    } catch (error) {
        if (!statuses.includes(statusOf(error) ?? 0)) throw error;
    }
}

export function statusOf(error: unknown): number | undefined {
    return (error as { statusCode?: number }).statusCode;
}

/** A `docker.Provider` may only name the engine that is used anyway. */
export function checkProvider({ host }: Values): void {
    if (typeof host === "string" && host !== "" && host !== dockerHost()) {
        throw new Refusal(
            `the embedded engine has no remote hosts: it uses ${dockerHost()}, not ${host}. Use \`pulumi up\`, or set DOCKER_HOST`,
        );
    }
}
