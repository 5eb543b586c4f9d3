import { createSocket } from "node:dgram";
import { isIPv4 } from "node:net";
import type { NetworkInterfaceInfo } from "node:os";
import { CommandError } from "../failure.ts";

/** An IPv4 address of this machine, and the interface that has it. */
export interface LanAddress {
    readonly address: string;
    readonly interface: string;
}

/** Networks of containers and virtual machines, which no phone is on. */
const VIRTUAL = /^(docker|br-|veth|virbr|vboxnet|vmnet|cni|flannel|podman|lxc)/;

/** This machine's IPv4 addresses that are more than its own, as `os.networkInterfaces` tells them. */
export function addressesOf(interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>): LanAddress[] {
    return Object.entries(interfaces).flatMap(([name, infos = []]) =>
        infos
            .filter(
                ({ family, internal, address }) => family === "IPv4" && !internal && !isLinkLocal(address),
            )
            .map(({ address }) => ({ address, interface: name })),
    );
}

/**
 * The address that others on the network are to use: the one that was named, else the one by which this machine
 * reaches the world.
 *
 * @param routed that of the default route, if there is one
 */
export function chooseAddress(
    own: readonly LanAddress[],
    routed: string | undefined,
    named: string | undefined,
): LanAddress {
    const found = own.find(({ address }) => address === (named ?? routed));
    if (found !== undefined) return found;
    if (named !== undefined) {
        const why = isIPv4(named) ? "no address of this machine" : "no IPv4 address";
        throw new CommandError(`--lan ${named}: that is ${why}. ${inWords(own)}`);
    }
    const [only, ...others] = own.filter(isReal);
    if (only !== undefined && others.length === 0) return only;
    throw new CommandError(
        `--lan: this machine has no IPv4 route to the world that would tell its address on the network. ${inWords(own)}`,
    );
}

/** This machine's address on the default route; undefined without one. Nothing is sent. */
export function routedAddress(): Promise<string | undefined> {
    return new Promise((resolve) => {
        const socket = createSocket("udp4");
        const done = (address?: string) => {
            socket.close();
            resolve(address === "0.0.0.0" ? undefined : address);
        };
        socket.on("error", () => done());
        // Of those that RFC 5737 keeps for documentation: any that is not on a network of ours would do.
        socket.connect(9, "203.0.113.1", () => done(socket.address().address));
    });
}

function inWords(own: readonly LanAddress[]): string {
    const shown = own.some(isReal) ? own.filter(isReal) : own;
    const [first] = shown;
    if (first === undefined) return "It has none but its loopback addresses.";
    const listed = shown.map(({ address, interface: name }) => `${address} (${name})`).join(", ");
    return `It has ${listed}: name one, as in \`npm start -- --lan ${first.address}\`.`;
}

function isReal({ interface: name }: LanAddress): boolean {
    return !VIRTUAL.test(name);
}

function isLinkLocal(address: string): boolean {
    return address.startsWith("169.254.");
}
