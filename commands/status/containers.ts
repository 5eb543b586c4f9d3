import { type DockerHost, mustDocker } from "../docker.ts";
import type { Server } from "../server.ts";

/** On every container of a stack: the prefix of its Docker objects, which is the name of Synapse's container. */
export const NAME_LABEL = "synapse.name";

/** A container of the stack that is meant to run all the time. */
export interface ServiceStatus {
    /** `synapse`, or what follows the stack's name: `nginx`, `certbot`. */
    readonly service: string;
    readonly container: string;
    /** Docker's word: `running`, `exited`, `restarting`; `missing` where there is none. */
    readonly state: string;
    /** Docker's word; null for a container without a health check. */
    readonly health: string | null;
    /** Reference of the image, or its id where none is left. */
    readonly image: string;
    readonly version: string | null;
    /** When it was last started; ISO 8601. */
    readonly since: string | null;
    /** How often Docker has started it again by itself. */
    readonly restarts: number;
}

/** What is used of `docker inspect` for a container. */
export interface Inspected {
    readonly Name: string;
    readonly Image: string;
    readonly RestartCount: number;
    readonly State: {
        readonly Status: string;
        readonly StartedAt: string;
        readonly Health?: { readonly Status: string };
    };
    readonly Config: { readonly Labels: Readonly<Record<string, string>> | null };
    readonly HostConfig: { readonly RestartPolicy: { readonly Name: string } };
    readonly Mounts: readonly { readonly Type: string; readonly Name?: string }[];
}

/** All containers of a stack, those that only brought files to a volume included. */
export async function inspectContainers({ containerName, dockerHost }: Server): Promise<Inspected[]> {
    const filter = `label=${NAME_LABEL}=${containerName}`;
    const listed = await mustDocker(dockerHost, ["ps", "--all", "--quiet", "--filter", filter], {
        patience: 30_000,
    });
    const ids = listed.split("\n").filter((id) => id !== "");
    if (ids.length === 0) return [];
    return JSON.parse(
        await mustDocker(dockerHost, ["inspect", "--type", "container", ...ids]),
    ) as Inspected[];
}

/** Those that are meant to run all the time; and of those that there must be, what is missing. */
export function servicesOf(
    { containerName, publishedPorts }: Pick<Server, "containerName" | "publishedPorts">,
    containers: readonly Inspected[],
    references: Readonly<Record<string, string>> = {},
): ServiceStatus[] {
    const services = containers
        .filter(({ HostConfig }) => HostConfig.RestartPolicy.Name === "unless-stopped")
        .map((container) => serviceOf(containerName, container, references))
        .sort((left, right) => left.container.length - right.container.length);
    // Only nginx answers on these two.
    const hasNginx = "http" in publishedPorts || "https" in publishedPorts;
    const missing = ["synapse", ...(hasNginx ? ["nginx"] : [])].filter(
        (wanted) => !services.some(({ service }) => service === wanted),
    );
    return [...services, ...missing.map((service) => missingService(containerName, service))];
}

/** What is wrong with a service; undefined when nothing is. */
export function faultOf({ container, state, health }: ServiceStatus): string | undefined {
    if (state === "missing") return `${container} is missing`;
    if (state !== "running") return `${container} does not run: it is ${state}`;
    return health === "unhealthy" ? `${container} is unhealthy` : undefined;
}

/** Reference of each image by its id, as far as Docker still knows one. */
export async function imageReferences(
    host: DockerHost,
    containers: readonly Inspected[],
): Promise<Record<string, string>> {
    const format = "{{.Id}} {{json .RepoTags}}";
    const ids = [...new Set(containers.map(({ Image }) => Image))];
    if (ids.length === 0) return {};
    const printed = await mustDocker(host, ["image", "inspect", "--format", format, ...ids]).catch(() => "");
    const references: Record<string, string> = {};
    for (const line of printed.split("\n")) {
        const [, id = "", tags = "[]"] = /^(\S+) (\[.*\])$/.exec(line) ?? [];
        const [tag] = JSON.parse(tags) as string[];
        if (tag !== undefined) references[id] = tag;
    }
    return references;
}

function serviceOf(
    prefix: string,
    { Name, Image, RestartCount, State, Config }: Inspected,
    references: Readonly<Record<string, string>>,
): ServiceStatus {
    const container = Name.replace(/^\//, "");
    return {
        service: container === prefix ? "synapse" : container.slice(prefix.length + 1),
        container,
        state: State.Status,
        health: State.Health?.Status ?? null,
        image: references[Image] ?? Image,
        version: Config.Labels?.["org.opencontainers.image.version"] ?? null,
        since: State.StartedAt.startsWith("0001-") ? null : State.StartedAt,
        restarts: RestartCount,
    };
}

function missingService(prefix: string, service: string): ServiceStatus {
    const container = service === "synapse" ? prefix : `${prefix}-${service}`;
    return {
        service,
        container,
        state: "missing",
        health: null,
        image: "",
        version: null,
        since: null,
        restarts: 0,
    };
}
