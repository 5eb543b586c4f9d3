import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { type ReadyArgs, ready } from "./ready.ts";
import type { Stack } from "./stack.ts";
import { tmpfsOf } from "./tmpfs.ts";

/** A volume or host directory in a container. */
export interface MountArgs {
    /** Volume name, or an absolute path on the Docker host. */
    readonly source: pulumi.Input<string>;
    readonly target: string;
    /** @default true */
    readonly readOnly?: boolean;
    /** @default "volume" */
    readonly type?: "volume" | "bind";
}

/** A port of the container, published on each of the addresses; see {@link internalPorts}. */
export interface PublishedPortArgs {
    readonly internal: number;
    /** Port on the Docker host. When undefined Docker picks one, on the first address alone: each would get another. */
    readonly external: number | undefined;
    /** Addresses of the Docker host. */
    readonly addresses: readonly string[];
    /** @default "tcp" */
    readonly protocol?: "tcp" | "udp";
}

/** How a container says that it works. */
export interface HealthArgs {
    /** Command and arguments, run in the container; exit code 0 is healthy. It must end by itself within seconds. */
    readonly command: readonly string[];
    /** Seconds between two checks, below 60. */
    readonly interval: number;
    /** Seconds during which a failure does not count, below 60. */
    readonly startPeriod: number;
    /** Seconds to wait for the first healthy answer before the deployment fails; see {@link ready}. */
    readonly patience: number;
    /** What to do when that fails. @default nothing but to look at the log */
    readonly advice?: string;
}

/** What differs from one service's container to the next. */
export interface ServiceContainerArgs {
    /** Name of the container on the Docker host. */
    readonly name: string;
    /** What it calls itself; Docker's id of it when left out. */
    readonly hostname?: string;
    readonly image: pulumi.Input<string>;
    /** `uid:gid`. */
    readonly user: string;
    readonly entrypoint: readonly string[];
    readonly environment?: Readonly<Record<string, pulumi.Input<string>>>;
    readonly mounts: readonly MountArgs[];
    /** Directories in memory: path → size in MiB. They belong to `user`. */
    readonly tmpfs?: Readonly<Record<string, number>>;
    /** Docker network and the container's names on it. No network at all when left out. */
    readonly network?: { readonly name: pulumi.Input<string>; readonly aliases: readonly string[] };
    readonly ports?: readonly PublishedPortArgs[];
    readonly health: HealthArgs;
    /** Linux capabilities to keep, e.g. `CAP_CHOWN`. */
    readonly capabilities?: readonly string[];
    /** Memory limit in MiB, swap included. */
    readonly memory: number;
    /** Size of /dev/shm in MiB. @default Docker's own, 64 */
    readonly sharedMemory?: number;
    /**
     * The polite stop. Said outright, since images differ: nginx's own would wait for its long polls and keep its ports
     * closed.
     *
     * @default "SIGTERM"
     */
    readonly stopSignal?: "SIGTERM" | "SIGINT";
    /** Seconds between the polite and the forced stop. */
    readonly stopGracePeriod: number;
    /** What is recorded of the service once it is healthy, and what is asked before that changes. */
    readonly whenReady?: ReadyArgs;
}

/** A service's container, and the step that has seen it healthy, for others to wait for. */
export interface Service {
    readonly container: docker.Container;
    readonly ready: pulumi.Resource;
}

/**
 * The one way in which this program runs a service: unprivileged, on a read-only root, stopped politely, its log
 * bounded. It also sets what the provider would otherwise forget or only pretend to change.
 */
export function serviceContainer(
    name: string,
    args: ServiceContainerArgs,
    stack: Stack,
    opts: pulumi.CustomResourceOptions,
): Service {
    const { health, network } = args;
    const container = new docker.Container(
        name,
        {
            name: args.name,
            ...(args.hostname === undefined ? {} : { hostname: args.hostname }),
            image: args.image,
            user: args.user,
            entrypoints: [...args.entrypoint],
            // Once set, an argument that is left out keeps its old value on the container: so each is always written.
            command: [],
            envs: Object.entries(args.environment ?? {}).map(
                ([key, value]) => pulumi.interpolate`${key}=${value}`,
            ),
            labels: [...stack.labels],
            restart: "unless-stopped",
            readOnly: true,
            capabilities: { drops: ["ALL"], adds: [...(args.capabilities ?? [])] },
            securityOpts: ["no-new-privileges:true"],
            mounts: args.mounts.map(({ source, target, readOnly = true, type = "volume" }) => ({
                type,
                source,
                target,
                readOnly,
            })),
            tmpfs: tmpfsOf(args.tmpfs ?? {}, args.user),
            ...(network === undefined
                ? { networkMode: "none" }
                : { networksAdvanced: [{ name: network.name, aliases: [...network.aliases] }] }),
            // In the order in which the provider reads them back: another one is a difference to it.
            ports: (args.ports ?? []).flatMap(bindings).sort((left, right) => left.internal - right.internal),
            // Every field: one that is left out comes back as "0s" and is "changed" at every refresh.
            healthcheck: {
                tests: ["CMD", ...health.command],
                interval: seconds(health.interval),
                timeout: "5s",
                startPeriod: seconds(health.startPeriod),
                retries: 3,
            },
            memory: args.memory,
            // Without it Docker allows as much swap again, and a later, higher limit is refused.
            memorySwap: args.memory,
            logDriver: "json-file",
            logOpts: { "max-size": "10m", "max-file": "5" },
            // Unset, the provider stops a container with an immediate SIGKILL.
            destroyGraceSeconds: args.stopGracePeriod,
            stopTimeout: args.stopGracePeriod,
            stopSignal: args.stopSignal ?? "SIGTERM",
            ...(args.sharedMemory === undefined ? {} : { shmSize: args.sharedMemory }),
            mustRun: true,
        },
        {
            ...opts,
            // Two containers can hold neither one name nor one port.
            deleteBeforeReplace: true,
            // The provider "updates" these in its state and leaves the container as it was. The last one stands for a
            // creation that failed half-way, which the next update would forget.
            replaceOnChanges: ["mounts", "healthcheck", "tmpfs", "init", "#initerror"],
            additionalSecretOutputs: ["containerLogs"],
            customTimeouts: { create: "10m", update: "10m", delete: "10m" },
            hooks: stack.sweep,
        },
    );
    return {
        container,
        ready: ready(`${name}-ready`, container, { ...health, ...args.whenReady }, stack, opts),
    };
}

/**
 * The ports inside the container that a service must listen on to be published on so many addresses: one for each,
 * ten thousand apart. The provider compares the bindings of one port in the order in which the engine happens to
 * list them, and would replace the container for it.
 */
export function internalPorts(internal: number, addresses: number): number[] {
    return Array.from({ length: addresses }, (_, index) => internal + index * 10_000);
}

/** A {@link docker.types.input.ContainerPort} without outputs. */
interface Binding {
    readonly internal: number;
    readonly ip: string;
    readonly protocol?: "udp";
    readonly external?: number;
}

function bindings({ internal, external, addresses, protocol = "tcp" }: PublishedPortArgs): Binding[] {
    const ports = internalPorts(internal, external === undefined ? 1 : addresses.length);
    return ports.map((port, index) => ({
        internal: port,
        ip: addresses[index] ?? "127.0.0.1",
        // Only what differs from the provider's default.
        ...(protocol === "tcp" ? {} : { protocol }),
        ...(external === undefined ? {} : { external }),
    }));
}

/** The port that Docker published for one of the container's own; 0 while the container does not run. */
export function publishedPort(container: docker.Container, internal: number): pulumi.Output<number> {
    return container.ports.apply((ports) => externalOf(ports ?? [], internal));
}

function externalOf(ports: readonly { internal: number; external?: number }[], internal: number): number {
    return ports.find((port) => port.internal === internal)?.external ?? 0;
}

/** Docker gives durations back in Go's form, "1m0s" for 60 s: below a minute both forms are the same. */
function seconds(count: number): string {
    if (!Number.isInteger(count) || count < 1 || count > 59) {
        throw new RangeError(`a health check's seconds must be a whole number from 1 to 59; got ${count}`);
    }
    return `${count}s`;
}
