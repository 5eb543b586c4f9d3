import { isIP } from "node:net";
import type { OutsideExpectations } from "./expectations.ts";
import { keyFault } from "./key.ts";
import { unreachable, type Warning } from "./warnings.ts";
import type { World } from "./world.ts";

/** Whether clients and servers that know the host's name reach this server. */
export async function atPublicHost(expected: OutsideExpectations, world: World): Promise<Warning[]> {
    const { behind, publicHost, publishesIpv6, verifyKey } = expected;
    const addresses = await world.addresses(publicHost);
    if (addresses.length === 0) {
        const machine = behind === undefined ? "the Docker host" : "your proxy";
        return [
            {
                subject: `${publicHost}: the name leads nowhere, so nobody reaches the server`,
                asked: `A and AAAA of ${publicHost}`,
                got: "no such record",
                wanted: `the address of ${machine}`,
                fix: `make the DNS record  ${publicHost}. A <IPv4 address of ${machine}>`,
            },
        ];
    }
    if (verifyKey === undefined) {
        const ipv6 = publishesIpv6 ? [] : addresses.filter((address) => isIP(address) === 6);
        return ipv6.map((address) =>
            unreachable(expected, address, ["the ports are published on IPv4 alone"]),
        );
    }
    const faults = await Promise.all(
        addresses.map(async (address) => ({
            address,
            reasons: await faultsAt(address, verifyKey, expected, world),
        })),
    );
    return faults
        .filter(({ reasons }) => reasons.length > 0)
        .map(({ address, reasons }) => unreachable(expected, address, reasons));
}

async function faultsAt(
    address: string,
    verifyKey: string,
    expected: OutsideExpectations,
    world: World,
): Promise<string[]> {
    const { clientPort, federationPort, publicHost, serverName } = expected;
    const at = { address, tlsName: publicHost };
    const faults = await Promise.all([
        fault(async () => {
            const host = clientPort === 443 ? publicHost : `${publicHost}:${clientPort}`;
            const path = "/_matrix/client/versions";
            const { status } = await world.get({ ...at, port: clientPort, host, path });
            return status === 200 ? undefined : `port ${clientPort}: ${status}`;
        }, clientPort),
        fault(async () => {
            if (federationPort === undefined) return undefined;
            const host = `${publicHost}:${federationPort}`;
            const path = "/_matrix/key/v2/server";
            const found = keyFault(
                await world.get({ ...at, port: federationPort, host, path }),
                serverName,
                verifyKey,
            );
            return found === undefined ? undefined : `port ${federationPort}: another server; ${found}`;
        }, federationPort),
    ]);
    return faults.filter((reason) => reason !== undefined);
}

/** What this machine has no way to says nothing about others. */
const NO_WAY = new Set(["ENETUNREACH", "EADDRNOTAVAIL"]);

async function fault(
    ask: () => Promise<string | undefined>,
    port: number | undefined,
): Promise<string | undefined> {
    try {
        return await ask();
    } catch (error) {
        const { message, cause } = error as Error & { cause?: NodeJS.ErrnoException };
        return NO_WAY.has(cause?.code ?? "") ? undefined : `port ${port}: ${message}`;
    }
}
