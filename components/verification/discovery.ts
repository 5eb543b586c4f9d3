import { isAddress, withoutBrackets } from "../../hosts.ts";
import type { Answer } from "./client.ts";
import type { World } from "./world.ts";

/** How another server comes from a server name to a server, by Matrix's server discovery. */
export interface Route {
    /** Where it connects to: none when a name on the way has no address. */
    readonly endpoints: readonly { readonly address: string; readonly port: number }[];
    /** What the certificate there must be for. */
    readonly tlsName: string;
    /** Host header. */
    readonly host: string;
    /** What was found, in words: `example.org:8448`. */
    readonly destination: string;
    /** What /.well-known/matrix/server delegates to; undefined when it does not. */
    readonly delegated?: string;
    /** Why it does not. */
    readonly fault?: string;
}

const DELEGATION = /^(\[[0-9a-fA-F:.]+\]|[^:/\s[\]]+)(?::(\d{1,5}))?$/;

/** Follows a server name, which is neither an address nor has a port, as another server would. */
export async function discover(serverName: string, world: World): Promise<Route> {
    const said = await wellKnown(serverName, "server", world)
        .then(({ document }) => delegationOf(document))
        .catch((error: Error) => error);
    if (said instanceof Error) return { ...(await named(serverName, world)), fault: said.message };
    const [, name = "", port] = DELEGATION.exec(said) ?? [];
    if (port === undefined && !isAddress(name)) return { ...(await named(name, world)), delegated: said };
    const number = Number(port ?? 8448);
    const addresses = isAddress(name) ? [withoutBrackets(name)] : await world.addresses(name);
    return {
        endpoints: addresses.map((address) => ({ address, port: number })),
        tlsName: withoutBrackets(name),
        host: said,
        destination: `${name}:${number}`,
        delegated: said,
    };
}

/** A name without a port: its SRV records, the newer kind first, or else port 8448. */
async function named(name: string, world: World): Promise<Route> {
    const own = { tlsName: name, host: name };
    for (const kind of ["_matrix-fed", "_matrix"]) {
        const [record] = await world.services(`${kind}._tcp.${name}`);
        if (record === undefined) continue;
        const addresses = await world.addresses(record.name);
        return {
            ...own,
            endpoints: addresses.map((address) => ({ address, port: record.port })),
            destination: `${record.name}:${record.port}, by the SRV record ${kind}._tcp.${name}`,
        };
    }
    const addresses = await world.addresses(name);
    const endpoints = addresses.map((address) => ({ address, port: 8448 }));
    return { ...own, endpoints, destination: `${name}:8448` };
}

function delegationOf(document: Readonly<Record<string, unknown>>): string {
    const said = document["m.server"];
    if (typeof said === "string" && DELEGATION.test(said)) return said;
    throw new Error(`no m.server that names a server: ${JSON.stringify(document).slice(0, 200)}`);
}

interface WellKnown {
    readonly document: Readonly<Record<string, unknown>>;
    readonly answer: Answer;
}

/** Fetches https://<name>/.well-known/matrix/<file>, over redirects. Rejects when it is no JSON object. */
export async function wellKnown(
    serverName: string,
    file: "server" | "client",
    world: World,
): Promise<WellKnown> {
    let url = new URL(`https://${serverName}/.well-known/matrix/${file}`);
    for (let redirects = 0; redirects <= 5; redirects += 1) {
        const answer = await fetched(url, world);
        const { location } = answer.headers;
        if (answer.status >= 300 && answer.status < 400 && location !== undefined) {
            if (!URL.canParse(location, url.href)) throw new Error(`a redirect to ${location}`);
            url = new URL(location, url);
            if (url.protocol !== "https:") throw new Error(`a redirect to ${location}, without TLS`);
            continue;
        }
        if (answer.status !== 200) throw new Error(`${answer.status}`);
        return { document: objectIn(answer.body), answer };
    }
    throw new Error("more than five redirects");
}

async function fetched(url: URL, world: World): Promise<Answer> {
    const name = withoutBrackets(url.hostname);
    const addresses = isAddress(name) ? [name] : await world.addresses(name);
    if (addresses.length === 0) throw new Error(`no address in the DNS for ${name}`);
    const port = url.port === "" ? 443 : Number(url.port);
    const path = url.pathname + url.search;
    // Clients try all of them, and take what answers.
    const attempts = addresses.map((address) =>
        world.get({ address, port, tlsName: name, host: url.host, path }),
    );
    return Promise.any(attempts).catch((error: AggregateError) => {
        throw error.errors[0] as Error;
    });
}

function objectIn(body: string): Readonly<Record<string, unknown>> {
    try {
        const value: unknown = JSON.parse(body);
        if (typeof value === "object" && value !== null && !Array.isArray(value))
            return value as Record<string, unknown>;
    } catch {
        // As below.
    }
    throw new Error(`no JSON object: ${body.slice(0, 200)}`);
}
