import { isIP } from "node:net";
import { authority, isLoopback } from "../../hosts.ts";
import type { Listener } from "./expectations.ts";

/** A published port at one address that can be asked from here. */
export interface Target {
    readonly listener: Listener;
    /** Address to connect to. */
    readonly address: string;
}

/** From where the questions are asked. */
export interface Place {
    /** This machine's own addresses, its loopback ones among them. */
    readonly own: readonly string[];
    /** The Docker host, when it is another machine, and what its name leads to. */
    readonly remote?: { readonly name: string; readonly addresses: readonly string[] };
}

export interface Targets {
    readonly asked: readonly Target[];
    /** What cannot be asked from here, and why: said, not passed over. */
    readonly notes: readonly string[];
}

/** Every published port at every address that it is published on. */
export function targets(listeners: readonly Listener[], place: Place): Targets {
    const asked: Target[] = [];
    const notes: string[] = [];
    for (const listener of listeners) {
        const seen = new Set<string>();
        for (const published of listener.addresses) {
            const found = reached(published, place);
            if (typeof found === "string") {
                notes.push(`Not asked: ${authority(published, listener.port)}, since ${found}.`);
                continue;
            }
            for (const address of found) {
                if (!seen.has(address)) asked.push({ listener, address });
                seen.add(address);
            }
        }
    }
    return { asked, notes };
}

/** The addresses at which a published one is reached; or why there is none. */
function reached(published: string, { own, remote }: Place): readonly string[] | string {
    const family = isIP(published);
    const ofFamily = (address: string) => isIP(address) === family;
    const outward = own.filter((address) => ofFamily(address) && !isLoopback(address));
    const everywhere = published === "0.0.0.0" || published === "::";
    if (remote === undefined) {
        if (!everywhere) return [published];
        const loopback = family === 4 ? "127.0.0.1" : "::1";
        if (!own.includes(loopback)) return `this machine has no IPv${family}`;
        // One more than the loopback address: not everything that answers there answers the world.
        return [loopback, ...outward.slice(0, 1)];
    }
    if (isLoopback(published)) return `it is the loopback address of another machine, ${remote.name}`;
    if (outward.length === 0) return `this machine has no IPv${family}`;
    if (!everywhere) return [published];
    const addresses = remote.addresses.filter(ofFamily).slice(0, 1);
    return addresses.length > 0 ? addresses : `${remote.name} leads to no IPv${family} address from here`;
}
