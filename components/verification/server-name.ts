import { authority, isPublicName } from "../../hosts.ts";
import { discover, type Route, wellKnown } from "./discovery.ts";
import type { OutsideExpectations } from "./expectations.ts";
import { keyFault } from "./key.ts";
import { clientFileWarning, delegationWarning, type Warning } from "./warnings.ts";
import { NoAnswer, type World } from "./world.ts";

/** Whether other servers that know the server's name alone find this server. */
export async function delegation(expected: OutsideExpectations, world: World): Promise<Warning[]> {
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
export async function clientFile(expected: OutsideExpectations, world: World): Promise<Warning[]> {
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
