import { execFile } from "node:child_process";
import { lookup } from "node:dns/promises";
import { networkInterfaces } from "node:os";
import { promisify } from "node:util";
import { isLoopback, withoutBrackets } from "../../hosts.ts";
import type { Place } from "./targets.ts";

/** Interfaces of containers and virtual machines: this machine's address on them is none that the world reaches. */
const VIRTUAL = /^(docker|br-|veth|virbr|cni|flannel|podman)/;

/** Where this program runs, as seen from the Docker engine that `DOCKER_HOST` names. */
export async function placeOf(dockerHost: string | undefined): Promise<Place> {
    const own = Object.entries(networkInterfaces())
        .filter(([name]) => !VIRTUAL.test(name))
        .flatMap(([, addresses = []]) => addresses)
        // A link-local address means something on its link alone.
        .filter(({ address }) => !/^(fe[89ab]|169\.254\.)/i.test(address))
        .map(({ address }) => address);
    const remote = remoteName(dockerHost);
    if (remote === undefined) return { own };
    return { own, remote: { name: remote, addresses: await addressesOf(remote, dockerHost) } };
}

/** The host in `ssh://user@host`, `tcp://host:2376`; undefined when that is this machine. */
export function remoteName(dockerHost: string | undefined): string | undefined {
    const [, host] = /^(?:ssh|tcp):\/\/(?:[^@/]*@)?(\[[^\]]+\]|[^:/]+)/.exec(dockerHost ?? "") ?? [];
    if (host === undefined) return undefined;
    const name = withoutBrackets(host);
    return isLoopback(name) ? undefined : name;
}

async function addressesOf(name: string, dockerHost: string | undefined): Promise<string[]> {
    const host = dockerHost?.startsWith("ssh:") ? await sshHostName(name) : name;
    return lookup(host, { all: true }).then(
        (found) => found.map(({ address }) => address),
        () => [],
    );
}

/** What ssh's configuration says that a name stands for. */
async function sshHostName(name: string): Promise<string> {
    return promisify(execFile)("ssh", ["-G", "--", name]).then(
        ({ stdout }) => /^hostname (\S+)$/m.exec(stdout)?.[1] ?? name,
        () => name,
    );
}
