import type * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import type { ContainerCreateOptions, EndpointSettings, HostConfig } from "dockerode";
import { nanoseconds } from "./duration.ts";
import { refuseUnknown, type Values } from "./inputs.ts";
import { Refusal } from "./refusal.ts";

export type ContainerArgs = pulumi.Unwrap<docker.ContainerArgs>;

/** This engine finds what it has made by its name. */
export type NamedContainerArgs = ContainerArgs & { readonly name: string };

/** What one argument contributes to the request that creates the container. */
interface Part {
    readonly body?: Omit<ContainerCreateOptions, "HostConfig">;
    readonly host?: HostConfig & { Init?: boolean };
}

/** Given to a running container; a change of anything else needs a new one. */
export const IN_PLACE = ["restart", "maxRetryCount", "memory", "memorySwap", "cpuShares"] as const;

/** Says what to do with the container, not what it is. */
export const CONDUCT = ["mustRun", "start", "wait", "waitTimeout"] as const;

const MiB = 1024 * 1024;
const body = (part: Part["body"] & {}): Part => ({ body: part });
const host = (part: Part["host"] & {}): Part => ({ host: part });
const nothing = (): Part => ({});

/** Every argument this engine knows. One that is missing here is refused. */
const parts: { readonly [Arg in keyof ContainerArgs]: (value: NonNullable<ContainerArgs[Arg]>) => Part } = {
    image: (Image) => body({ Image }),
    command: (Cmd) => body({ Cmd }),
    entrypoints: (Entrypoint) => body({ Entrypoint }),
    user: (User) => body({ User }),
    workingDir: (WorkingDir) => body({ WorkingDir }),
    envs: (Env) => body({ Env }),
    hostname: (Hostname) => body({ Hostname }),
    domainname: (Domainname) => body({ Domainname }),
    tty: (Tty) => body({ Tty }),
    stdinOpen: (OpenStdin) => body({ OpenStdin }),
    stopSignal: (StopSignal) => body({ StopSignal }),
    stopTimeout: (StopTimeout) => body({ StopTimeout }),
    labels: (labels) =>
        body({ Labels: Object.fromEntries(labels.map(({ label, value }) => [label, value])) }),
    healthcheck: (given) => {
        const { tests, retries, interval, timeout, startPeriod, startInterval, ...rest } = given;
        refuseUnknown("healthcheck", rest, []);
        const times = {
            Interval: nanoseconds(interval),
            Timeout: nanoseconds(timeout),
            StartPeriod: nanoseconds(startPeriod),
            StartInterval: nanoseconds(startInterval),
        };
        return body({ Healthcheck: { Test: tests ?? [], Retries: retries ?? 0, ...times } });
    },
    ports: (ports) => {
        const PortBindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
        for (const { internal, external, ip, protocol, ...rest } of ports) {
            refuseUnknown("ports", rest, []);
            const port = `${internal}/${protocol ?? "tcp"}`;
            // An empty port lets Docker pick one.
            const binding = {
                HostIp: ip ?? "0.0.0.0",
                HostPort: external === undefined ? "" : String(external),
            };
            PortBindings[port] = [...(PortBindings[port] ?? []), binding];
        }
        const ExposedPorts = Object.fromEntries(Object.keys(PortBindings).map((port) => [port, {}]));
        return { body: { ExposedPorts }, host: { PortBindings } };
    },
    mounts: (mounts) =>
        host({
            Mounts: mounts.map(({ type, source, target, readOnly, tmpfsOptions, bindOptions, ...rest }) => {
                refuseUnknown("mounts", rest, []);
                if (type !== "volume" && type !== "bind" && type !== "tmpfs") {
                    throw new Refusal(`mounts: type must be volume, bind or tmpfs, not ${type}`);
                }
                const { mode, sizeBytes } = tmpfsOptions ?? {};
                return {
                    Type: type,
                    Source: source ?? "",
                    Target: target,
                    ReadOnly: readOnly ?? false,
                    ...(tmpfsOptions && {
                        TmpfsOptions: { Mode: mode ?? 0o1777, SizeBytes: sizeBytes ?? 0 },
                    }),
                    ...(bindOptions?.propagation && {
                        BindOptions: { Propagation: bindOptions.propagation as "private" },
                    }),
                };
            }),
        }),
    networkMode: (NetworkMode) => host({ NetworkMode }),
    logDriver: (Type) => host({ LogConfig: { Type, Config: {} } }),
    logOpts: (Config) => host({ LogConfig: { Type: "json-file", Config } }),
    capabilities: ({ adds, drops }) => host({ CapAdd: adds ?? [], CapDrop: drops ?? [] }),
    securityOpts: (SecurityOpt) => host({ SecurityOpt }),
    ulimits: (ulimits) =>
        host({ Ulimits: ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })) }),
    memory: (megabytes) => host({ Memory: megabytes * MiB }),
    memorySwap: (megabytes) => host({ MemorySwap: megabytes < 0 ? -1 : megabytes * MiB }),
    cpuShares: (CpuShares) => host({ CpuShares }),
    cpus: (cpus) => host({ NanoCpus: Math.round(Number(cpus) * 1e9) }),
    restart: (Name) => host({ RestartPolicy: { Name } }),
    maxRetryCount: (MaximumRetryCount) => host({ RestartPolicy: { Name: "on-failure", MaximumRetryCount } }),
    readOnly: (ReadonlyRootfs) => host({ ReadonlyRootfs }),
    tmpfs: (Tmpfs) => host({ Tmpfs }),
    init: (Init) => host({ Init }),
    hosts: (hosts) => host({ ExtraHosts: hosts.map(({ host: name, ip }) => `${name}:${ip}`) }),
    shmSize: (megabytes) => host({ ShmSize: megabytes * MiB }),
    sysctls: (Sysctls) => host({ Sysctls }),
    groupAdds: (GroupAdd) => host({ GroupAdd }),
    dns: (Dns) => host({ Dns }),
    dnsOpts: (DnsOptions) => host({ DnsOptions }),
    dnsSearches: (DnsSearch) => host({ DnsSearch }),
    ipcMode: (IpcMode) => host({ IpcMode }),
    pidMode: (PidMode) => host({ PidMode }),
    privileged: (Privileged) => host({ Privileged }),
    // What follows never reaches the create request: see the plan and the uploads.
    name: nothing,
    networksAdvanced: nothing,
    uploads: nothing,
    destroyGraceSeconds: nothing,
    mustRun: nothing,
    start: nothing,
    wait: nothing,
    waitTimeout: nothing,
};

/** Reads a program's arguments, refusing all that could not be carried out faithfully. */
export function readContainer(given: Values): NamedContainerArgs {
    refuseUnknown("docker.Container", given, Object.keys(parts));
    const args = given as unknown as ContainerArgs;
    if (args.name === undefined) throw new Refusal("docker.Container: the embedded engine needs a name");
    if (args.readOnly && args.uploads?.length) {
        throw new Refusal(
            "docker.Container: Docker cannot upload files into a container with a read-only root",
        );
    }
    if (args.networksAdvanced?.length && args.networkMode !== undefined && args.networkMode !== "bridge") {
        throw new Refusal("docker.Container: networkMode and networksAdvanced exclude each other");
    }
    for (const { name, aliases, ipv4Address, ipv6Address, ...rest } of args.networksAdvanced ?? []) {
        refuseUnknown("networksAdvanced", rest, []);
    }
    for (const {
        file,
        content,
        contentBase64,
        permissions,
        owner,
        group,
        executable,
        ...rest
    } of args.uploads ?? []) {
        refuseUnknown("uploads", rest, []);
        if (!content && !contentBase64)
            throw new Refusal(`uploads: ${file} needs content: the provider takes no empty file`);
    }
    createRequest(args); // refuses what is unknown further down
    return { ...args, name: args.name };
}

/** Docker's create request, without labels of this engine's own. */
export function createRequest(args: ContainerArgs): ContainerCreateOptions & { HostConfig: HostConfig } {
    let request: Omit<ContainerCreateOptions, "HostConfig"> = {};
    let hostConfig: HostConfig = {};
    for (const [arg, value] of Object.entries(args) as [keyof ContainerArgs, unknown][]) {
        if (value == null) continue;
        const part = (parts[arg] as (value: unknown) => Part)(value);
        request = { ...request, ...part.body };
        hostConfig = { ...hostConfig, ...part.host };
    }
    if (args.logDriver !== undefined || args.logOpts !== undefined) {
        hostConfig.LogConfig = { Type: args.logDriver ?? "json-file", Config: args.logOpts ?? {} };
    }
    if (args.restart !== undefined) {
        hostConfig.RestartPolicy = { Name: args.restart, MaximumRetryCount: args.maxRetryCount ?? 0 };
    }
    const [first] = args.networksAdvanced ?? [];
    if (first === undefined) return { ...request, HostConfig: hostConfig };
    // Docker before API 1.44 takes one network here; the others are connected before the start.
    const NetworkingConfig = { EndpointsConfig: { [first.name]: endpoint(first) } };
    return { ...request, HostConfig: { ...hostConfig, NetworkMode: first.name }, NetworkingConfig };
}

export function endpoint(network: NonNullable<ContainerArgs["networksAdvanced"]>[number]): EndpointSettings {
    const { aliases, ipv4Address, ipv6Address } = network;
    const addresses = {
        ...(ipv4Address && { IPv4Address: ipv4Address }),
        ...(ipv6Address && { IPv6Address: ipv6Address }),
    };
    return { Aliases: aliases ?? [], IPAMConfig: addresses };
}
