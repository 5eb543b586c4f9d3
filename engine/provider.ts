import type * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import type { NetworkCreateOptions } from "dockerode";
import { applyCommand, type CommandContext, runCommand } from "./command.ts";
import { applyContainer } from "./container-life.ts";
import { checkProvider, ensureImage, type Found, LABELS } from "./docker.ts";
import { digest, refuseUnknown, type Values, without } from "./inputs.ts";
import { Refusal } from "./refusal.ts";
import type { Invoke, Register, Registered, Registration } from "./registration.ts";
import type { World } from "./world.ts";

const COMMAND = "command:local:Command";

/** Everything this engine can carry out. */
export function provider(world: World, commands: CommandContext): Register {
    const types: Readonly<Record<string, Register>> = {
        "docker:index/container:Container": (resource) => applyContainer(resource, world),
        "docker:index/volume:Volume": (resource) => applyVolume(resource, world),
        "docker:index/network:Network": (resource) => applyNetwork(resource, world),
        "docker:index/remoteImage:RemoteImage": (resource) => applyImage(resource, world),
        [COMMAND]: (resource) => applyCommand(resource, commands),
        "pulumi:providers:docker": applyProvider,
        "pulumi:providers:command": applyProvider,
    };
    return (resource) => {
        const apply = types[resource.type];
        if (apply === undefined)
            throw new Refusal(`the embedded engine cannot make a ${resource.type}: use \`pulumi up\``);
        if (resource.hooks.beforeUpdate !== undefined && resource.type !== COMMAND)
            throw new Refusal("the embedded engine calls hooks before the update of a command alone");
        world.needs(resource);
        return apply(resource);
    };
}

/** Every function that this engine can call. */
export function functions(commands: CommandContext): Invoke {
    return (token, inputs) => {
        if (token === "command:local:run") return runCommand(inputs, commands);
        throw new Refusal("the embedded engine does not know this function: use `pulumi up`");
    };
}

/** A volume holds data: no change of its arguments makes a new one, only a changed replacement trigger. */
async function applyVolume(resource: Registration, world: World): Promise<Registered> {
    const started = Date.now();
    refuseUnknown("docker.Volume", resource.inputs, ["name", "driver", "driverOpts", "labels"]);
    const args = resource.inputs as unknown as pulumi.Unwrap<docker.VolumeArgs>;
    const name = nameOf(resource);
    const found = await world.claim("volume", name, resource);
    const record = world.record.contents;
    const trigger = resource.replacementTrigger === undefined ? "" : digest(resource.replacementTrigger);
    const before = record.triggers[name] ?? found?.labels[LABELS.trigger] ?? "";
    // A trigger that comes or goes is no reason to lose data.
    const replaced = found !== undefined && before !== "" && trigger !== "" && before !== trigger;

    if (replaced) await freeVolume(resource, found, world);
    // One that no earlier run has recorded is new to the stack, even if it is there: it is adopted.
    if (found === undefined || replaced || !(name in record.triggers)) await resource.hooks.beforeCreate();
    if (found === undefined || replaced) {
        await world.docker.createVolume({
            Name: name,
            Driver: args.driver ?? "local",
            DriverOpts: args.driverOpts ?? {},
            Labels: { ...labelsOf(args.labels), ...world.labels(resource, name), [LABELS.trigger]: trigger },
        });
    }
    record.triggers[name] = trigger;
    record.protectedVolumes = record.protectedVolumes.filter((other) => other !== name);
    if (resource.protect || resource.retainOnDelete) record.protectedVolumes.push(name);
    world.report.done(replaced ? "replaced" : found ? "same" : "created", `volume ${name}`, started);
    return { id: name, outputs: { driver: "local", ...resource.inputs, mountpoint: "" } };
}

async function freeVolume(resource: Registration, found: Found, world: World): Promise<void> {
    if (resource.protect || resource.retainOnDelete) {
        throw new Refusal(
            `the volume ${found.name} would be replaced, and its data lost, but it is protected`,
        );
    }
    if (!found.mine)
        throw new Refusal(`the volume ${found.name} would be replaced, but this engine did not make it`);
    await world.removeUsersOf(found);
    await world.remove(found);
}

async function applyNetwork(resource: Registration, world: World): Promise<Registered> {
    const started = Date.now();
    const known = ["name", "driver", "ipv6", "internal", "attachable", "options", "labels", "ipamConfigs"];
    refuseUnknown("docker.Network", resource.inputs, known);
    const name = nameOf(resource);
    const found = await world.claim("network", name, resource);
    const trigger = resource.replacementTrigger;
    const wanted = digest({ inputs: without(resource.inputs, resource.ignoreChanges), trigger });
    if (found?.labels[LABELS.digest] === wanted) {
        world.report.done("same", `network ${name}`);
        return { id: found.id, outputs: { driver: "bridge", ...resource.inputs } };
    }
    if (found) {
        if (resource.protect) throw new Refusal(`the network ${name} would be replaced, but it is protected`);
        await world.removeUsersOf(found);
        await world.remove(found);
    }
    await resource.hooks.beforeCreate();
    const { id } = await world.docker.createNetwork(networkRequest(resource, name, wanted, world));
    world.report.done(found ? "replaced" : "created", `network ${name}`, started);
    return { id, outputs: { driver: "bridge", ...resource.inputs } };
}

function networkRequest(
    resource: Registration,
    name: string,
    wanted: string,
    world: World,
): NetworkCreateOptions {
    const args = resource.inputs as unknown as pulumi.Unwrap<docker.NetworkArgs>;
    const ranges = args.ipamConfigs?.map(({ subnet, gateway, ipRange, auxAddress, ...rest }) => {
        refuseUnknown("ipamConfigs", rest, []);
        return {
            ...(subnet && { Subnet: subnet }),
            ...(gateway && { Gateway: gateway }),
            ...(ipRange && { IPRange: ipRange }),
            ...(auxAddress && { AuxiliaryAddresses: auxAddress }),
        };
    });
    return {
        Name: name,
        CheckDuplicate: true,
        Driver: args.driver ?? "bridge",
        EnableIPv6: args.ipv6 ?? false,
        Internal: args.internal ?? false,
        Attachable: args.attachable ?? false,
        Options: args.options ?? {},
        Labels: { ...labelsOf(args.labels), ...world.labels(resource, name), [LABELS.digest]: wanted },
        ...(ranges && { IPAM: { Driver: "default", Config: ranges } }),
    };
}

/** Images are never removed here, whatever `keepLocally` says: another stack may need them. */
async function applyImage(resource: Registration, world: World): Promise<Registered> {
    const started = Date.now();
    refuseUnknown("docker.RemoteImage", resource.inputs, ["name", "keepLocally"]);
    const name = nameOf(resource);
    const { id, repoDigest, pulled } = await ensureImage(world.docker, name);
    world.report.done(pulled ? "created" : "same", `image ${name}`, started);
    return { id: `${id}${name}`, outputs: { ...resource.inputs, imageId: id, repoDigest } };
}

function applyProvider({ urn, type, inputs }: Registration): Promise<Registered> {
    refuseUnknown(type, inputs, ["host", "version", "disableDockerDaemonCheck"]);
    checkProvider(inputs);
    return Promise.resolve({ id: urn, outputs: inputs });
}

function nameOf({ type, inputs }: { readonly type: string; readonly inputs: Values }): string {
    const { name } = inputs;
    if (typeof name !== "string" || name === "")
        throw new Refusal(`the embedded engine needs a name for each ${type}`);
    return name;
}

function labelsOf(labels: readonly { readonly label: string; readonly value: string }[] | undefined) {
    return Object.fromEntries((labels ?? []).map(({ label, value }) => [label, value]));
}
