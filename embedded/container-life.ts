import { randomBytes } from "node:crypto";
import type { Container, ContainerInspectInfo, HostConfig } from "dockerode";
import {
    CONDUCT,
    type ContainerArgs,
    createRequest,
    endpoint,
    IN_PLACE,
    readContainer,
} from "./container.ts";
import { ensureImage, type Found, LABELS, lastLines, tolerate } from "./docker.ts";
import type { Registered, Registration } from "./engine.ts";
import { digest, Refusal, type Values, without } from "./inputs.ts";
import { tarOf } from "./uploads.ts";
import type { World } from "./world.ts";

type Args = ReturnType<typeof readContainer>;

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
    args: Args,
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
    args: Args,
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

async function start(container: Container, args: Args, world: World): Promise<void> {
    if (args.start === false) return;
    await container.start();
    if (args.wait) return waitUntilHealthy(container, args, world);
    const { State } = await container.inspect();
    const failed = args.mustRun !== false && !State.Running && !State.Restarting && State.ExitCode !== 0;
    if (failed) throw await failure(container, `it exited with code ${State.ExitCode}`, world);
}

async function waitUntilHealthy(container: Container, args: Args, world: World): Promise<void> {
    const timeout = args.waitTimeout ?? 60;
    const deadline = Date.now() + timeout * 1000;
    const before = (await container.inspect()).RestartCount;
    for (;;) {
        const { State, RestartCount } = await container.inspect();
        const { Health } = State;
        if (Health?.Status === "healthy") return;
        if (world.signal.aborted) throw new Refusal("interrupted while it was starting");
        const problem = problemOf(State, RestartCount - before);
        if (problem !== undefined) throw await notHealthy(container, problem, world);
        if (Date.now() > deadline) {
            const said = Health?.Log.at(-1)?.Output.trim();
            const check = said ? `; its health check said: ${said}` : "";
            throw await notHealthy(container, `it was not healthy after ${timeout} s${check}`, world);
        }
        await new Promise((resolve) => setTimeout(resolve, 250));
    }
}

/** Why waiting on is pointless. */
function problemOf(state: ContainerInspectInfo["State"], restarts: number): string | undefined {
    if (state.Running && !state.Health) return "it has no health check to wait for";
    // A first restart may still be a race with something it needs.
    if (restarts >= 2) return `it keeps exiting with code ${state.ExitCode}`;
    return state.Running || state.Restarting ? undefined : `it exited with code ${state.ExitCode}`;
}

async function notHealthy(container: Container, problem: string, world: World): Promise<Refusal> {
    world.record.contents.unhealthy.push(container.id); // The next run replaces it.
    world.record.save();
    return failure(container, problem, world);
}

async function failure(container: Container, problem: string, world: World): Promise<Refusal> {
    const lines = await lastLines(world.docker, container.id, 30);
    return new Refusal(
        lines === "" ? `${problem}, and wrote nothing` : `${problem}. It wrote last:\n${lines}`,
    );
}

function result(args: Args, { Id, NetworkSettings }: ContainerInspectInfo): Registered {
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
