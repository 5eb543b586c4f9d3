import { isIP } from "node:net";
import { authority, isPublicName } from "../../hosts.ts";
import { discover, type Route, wellKnown } from "./discovery.ts";
import type { OutsideExpectations } from "./expectations.ts";
import { keyFault } from "./key.ts";
import { trustIn } from "./trust.ts";
import { asText, clientFileWarning, delegationWarning, unreachable, type Warning } from "./warnings.ts";
import { NoAnswer, PATIENCE_MS, theWorld, type World } from "./world.ts";

/** What the internet does not do for a server, as far as this machine can tell: nothing when all is well. */
export function lookOutside(expected: OutsideExpectations, patienceMs = PATIENCE_MS): Promise<string[]> {
    return look(expected, theWorld(trustIn(expected.authorities, expected.trusted), patienceMs));
}

/** As {@link lookOutside}, in a given world. */
export async function look(expected: OutsideExpectations, world: World): Promise<string[]> {
    const { serverName, publicHost } = expected;
    const [first = [], ...others] = await Promise.all([
        guarded(publicHost, () => atPublicHost(expected, world)),
        guarded(serverName, () => delegation(expected, world)),
        guarded(serverName, () => clientFile(expected, world)),
    ]);
    // Where both are one name the rest could only say the same again.
    const rest = first.length > 0 && serverName === publicHost ? [] : others.flat();
    // One DNS that gives no answer is met more than once.
    const bySubject = new Map([...first, ...rest].map((warning) => [warning.subject, warning]));
    return [...bySubject.values()].map(asText);
}

async function guarded(name: string, ask: () => Promise<Warning[]>): Promise<Warning[]> {
    if (!isPublicName(name)) return [];
    try {
        return await ask();
    } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        return [
            {
                subject: `${name}: the DNS gave no answer, so it is not known what others find there`,
                asked: error.asked,
                got: error.message,
                wanted: "an answer",
                fix: "look at it from a machine that reaches the DNS; is something wrong with the name's own DNS servers?",
            },
        ];
    }
}

/** Whether clients and servers that know the host's name reach this server. */
async function atPublicHost(expected: OutsideExpectations, world: World): Promise<Warning[]> {
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

/** Whether other servers that know the server's name alone find this server. */
async function delegation(expected: OutsideExpectations, world: World): Promise<Warning[]> {
    const { federationAddress, serverName, verifyKey } = expected;
    if (federationAddress === undefined) return [];
    // What this server itself will serve is not to be seen before it runs.
    if (verifyKey === undefined && (await leadsHere(expected, world))) return [];
    const route = await discover(serverName, world);
    if (route.delegated === federationAddress) return [];
    if (verifyKey === undefined) {
        const bySrv = route.delegated === undefined && route.destination.includes("SRV");
        return bySrv ? [] : [delegationWarning(expected, route, [])];
    }
    const reasons = await faultsOf(route, verifyKey, serverName, world);
    return reasons.length === 0 ? [] : [delegationWarning(expected, route, reasons)];
}

async function faultsOf(
    { destination, endpoints, host, tlsName }: Route,
    verifyKey: string,
    serverName: string,
    world: World,
): Promise<string[]> {
    if (endpoints.length === 0) return [`${destination} has no address in the DNS`];
    const faults = await Promise.all(
        endpoints.map(async ({ address, port }) => {
            const path = "/_matrix/key/v2/server";
            return world.get({ address, port, tlsName, host, path }).then(
                (answer) => keyFault(answer, serverName, verifyKey),
                (error: Error) => `${authority(address, port)}: ${error.message}`,
            );
        }),
    );
    return faults.filter((reason) => reason !== undefined);
}

/** Whether clients that know the server's name alone find this server. */
async function clientFile(expected: OutsideExpectations, world: World): Promise<Warning[]> {
    const { clientUrl, proxied, publicHost, serverName, verifyKey } = expected;
    const isElsewhere = serverName !== publicHost;
    if (!isElsewhere && !proxied) return [];
    if (verifyKey === undefined && (await leadsHere(expected, world))) return [];
    const found = await wellKnown(serverName, "client", world).then(
        ({ document, answer }) => {
            const said = document["m.homeserver"] as { base_url?: unknown } | undefined;
            if (String(said?.base_url).replace(/\/$/, "") !== clientUrl)
                return JSON.stringify(document).slice(0, 300);
            if (answer.headers["access-control-allow-origin"] !== "*")
                return "no header Access-Control-Allow-Origin: *, without which web clients cannot read it";
            return undefined;
        },
        (error: Error) => {
            if (error instanceof NoAnswer) throw error;
            return error.message;
        },
    );
    return found === undefined ? [] : [clientFileWarning(expected, found)];
}

/** Whether the server's name leads to the same host, so that nginx serves its files. */
async function leadsHere({ publicHost, serverName }: OutsideExpectations, world: World): Promise<boolean> {
    if (serverName === publicHost) return true;
    if (!isPublicName(publicHost)) return false;
    const [own, others] = await Promise.all([world.addresses(publicHost), world.addresses(serverName)]);
    return own.some((address) => others.includes(address));
}
