import { randomBytes } from "node:crypto";
import type { Container, ContainerInspectInfo, HostConfig } from "dockerode";
import {
    CONDUCT,
    type ContainerArgs,
    createRequest,
    endpoint,
    IN_PLACE,
    type NamedContainerArgs,
    readContainer,
} from "./container.ts";
import { start, waitUntilHealthy } from "./container-start.ts";
import { ensureImage, type Found, LABELS, tolerate } from "./docker.ts";
import { digest, type Values, without } from "./inputs.ts";
import { Refusal } from "./refusal.ts";
import type { Registered, Registration } from "./registration.ts";
import { tarOf } from "./uploads.ts";
import type { World } from "./world.ts";

/** Keeps, updates, replaces or creates one container. */
export async function applyContainer(resource: Registration, world: World): Promise<Registered> {
    const started = Date.now();
    const args = readContainer(resource.inputs);
    const found = await world.claim("container", args.name, resource);
    const wanted = containerDigest(resource);
    const { unhealthy } = world.record.contents;

    if (found?.labels[LABELS.digest] === wanted && !unhealthy.includes(found.id)) {
        const container = world.docker.getContainer(found.id);
        const changed = await bringUpToDate(container, args, resource, world);
        world.report.done(changed ? "updated" : "same", `container ${args.name}`, started);
        return result(args, await container.inspect());
    }
    const old = found ?? world.formerly("container", resource.urn);
    if (old && resource.protect)
        throw new Refusal(`the container ${old.name} would be replaced, but it is protected`);
    const container = await replace(resource, args, wanted, old, world);
    await start(container, args, world);
    world.report.done(old ? "replaced" : "created", `container ${args.name}`, started);
    return result(args, await container.inspect());
}

/** Of all that needs a new container when it changes. */
function containerDigest({ inputs, ignoreChanges, replacementTrigger }: Registration): string {
    const inPlace = IN_PLACE.filter((arg) => inputs[arg] != null && !ignoreChanges.includes(arg));
    const fixed = without(inputs, [...IN_PLACE, ...CONDUCT, ...ignoreChanges]);
    return digest({ fixed, inPlace, trigger: replacementTrigger });
}

/** What there is of a container with the right digest may still be stopped, unhealthy, or short of memory. */
async function bringUpToDate(
    container: Container,
    args: NamedContainerArgs,
    { ignoreChanges }: Registration,
    world: World,
): Promise<boolean> {
    const { State, HostConfig } = await container.inspect();
    const change = inPlaceChange(without(args, ignoreChanges), HostConfig);
    if (change) await container.update(change);
    const stopped = args.mustRun !== false && args.start !== false && !State.Running;
    if (stopped) await start(container, args, world);
    else if (args.wait && State.Running && State.Health?.Status !== "healthy")
        await waitUntilHealthy(container, args, world);
    return change !== undefined || stopped;
}

function inPlaceChange(args: Values, now: HostConfig): Partial<HostConfig> | undefined {
    const { Memory, MemorySwap, CpuShares, RestartPolicy } = createRequest(
        args as unknown as ContainerArgs,
    ).HostConfig;
    const differs =
        (Memory !== undefined && Memory !== now.Memory) ||
        // Where the kernel does not count swap, Docker answers -1 whatever was asked.
        (MemorySwap !== undefined && MemorySwap !== now.MemorySwap && now.MemorySwap !== -1) ||
        (CpuShares !== undefined && CpuShares !== now.CpuShares) ||
        (RestartPolicy !== undefined && RestartPolicy.Name !== now.RestartPolicy?.Name) ||
        (RestartPolicy?.MaximumRetryCount ?? 0) !== (now.RestartPolicy?.MaximumRetryCount ?? 0);
    if (!differs) return undefined;
    return {
        ...(Memory !== undefined && { Memory }),
        ...(MemorySwap !== undefined && { MemorySwap }),
        ...(CpuShares !== undefined && { CpuShares }),
        ...(RestartPolicy !== undefined && { RestartPolicy }),
    };
}

/**
 * Removes the old container before it makes the new one, as Pulumi does. The new one is made ready under a passing
 * name. Getting its own is what completes it: a run that dies before leaves something that the next one recognises by
 * its name, and removes.
 */
async function replace(
    resource: Registration,
    args: NamedContainerArgs,
    wanted: string,
    old: Found | undefined,
    world: World,
): Promise<Container> {
    const { docker } = world;
    const request = createRequest(args);
    const needs = [...world.needs(resource)].join("\n");
    const Labels = {
        ...request.Labels,
        ...world.labels(resource, args.name),
        [LABELS.digest]: wanted,
        [LABELS.grace]: String(args.destroyGraceSeconds ?? args.stopTimeout ?? 10),
        ...(needs !== "" && { [LABELS.needs]: needs }),
    };
    // An image that cannot be had leaves the old container as it is.
    await ensureImage(docker, args.image);
    if (old) await world.remove(old);
    await resource.hooks.beforeCreate();
    const container = await docker.createContainer({
        ...request,
        Labels,
        name: `${args.name}-new-${randomBytes(3).toString("hex")}`,
    });
    try {
        for (const network of args.networksAdvanced?.slice(1) ?? []) {
            await docker
                .getNetwork(network.name)
                .connect({ Container: container.id, EndpointConfig: endpoint(network) });
        }
        if (args.uploads?.length) await container.putArchive(await tarOf(args.uploads), { path: "/" });
        await container.rename({ name: args.name });
    } catch (error) {
        await tolerate([404], container.remove({ v: true, force: true }));
        throw error;
    }
    return container;
}

function result(args: NamedContainerArgs, { Id, NetworkSettings }: ContainerInspectInfo): Registered {
    const networkDatas = Object.entries(NetworkSettings.Networks).map(([networkName, network]) => ({
        networkName,
        ipAddress: network.IPAddress,
        gateway: network.Gateway,
    }));
    const ports = args.ports && { ports: publishedPorts(args.ports, NetworkSettings.Ports) };
    return { id: Id, outputs: { ...args, ...ports, networkDatas } };
}

/** The ports as given, with those that Docker picked filled in. */
function publishedPorts(
    ports: NonNullable<ContainerArgs["ports"]>,
    published: ContainerInspectInfo["NetworkSettings"]["Ports"],
): ContainerArgs["ports"] {
    const bindings = Object.fromEntries(
        Object.entries(published).map(([port, bound]) => [port, [...(bound ?? [])]]),
    );
    return ports.map((port) => {
        const bound = bindings[`${port.internal}/${port.protocol ?? "tcp"}`] ?? [];
        const wanted = port.external === undefined ? undefined : String(port.external);
        const index = bound.findIndex(
            ({ HostIp, HostPort }) => HostIp === (port.ip ?? "0.0.0.0") && HostPort === (wanted ?? HostPort),
        );
        const [binding] = index < 0 ? [] : bound.splice(index, 1);
        return binding === undefined ? port : { ...port, external: Number(binding.HostPort) };
    });
}
