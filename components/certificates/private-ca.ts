import { isIP } from "node:net";
import { withoutBrackets } from "../../hosts.ts";

/** What a private CA and its certificate say, in openssl's notation: plain functions of the names. */

/** `DNS:example.org,IP:127.0.0.1`. */
export function alternativeNames(names: readonly string[]): string {
    const { dns, ip } = sorted(names);
    return [...dns.map((name) => `DNS:${name}`), ...ip.map((address) => `IP:${address}`)].join();
}

/** The names that a CA may certify: these, what lies below the DNS names, and nothing else. */
export function nameConstraints(names: readonly string[]): string {
    const { dns, ip } = sorted(names);
    return [
        // A kind of name that is not mentioned is free: one that leads nowhere (RFC 6761) stands for none.
        ...(dns.length === 0 ? ["invalid"] : dns).map((name) => `permitted;DNS:${name}`),
        ...ip.map((address) => `permitted;IP:${address}/${isIP(address) === 4 ? ALL_OF_4 : ALL_OF_6}`),
        ...(ip.length === 0 ? ["excluded;IP:0.0.0.0/0.0.0.0", "excluded;IP:::/::"] : []),
    ].join();
}

const ALL_OF_4 = "255.255.255.255";
const ALL_OF_6 = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

/** Who the CA is, and who its certificate is for, of a server and the host that clients connect to. */
export function subjects(host: string, serverName: string): { readonly ca: string; readonly server: string } {
    const organization = part("O", "Matrix homeserver", serverName);
    return {
        ca: organization + part("CN", "Private CA of", host),
        // Words before it, since a name alone would be taken for a DNS name, and an address is none.
        server: organization + part("CN", "Matrix homeserver at", host),
    };
}

/** X.509 allows 64 characters. */
function part(field: string, words: string, name: string): string {
    return `/${field}=${`${words} ${name}`.slice(0, 64)}`;
}

/** Each name once, and in an order that does not depend on theirs. */
function sorted(names: readonly string[]): { readonly dns: string[]; readonly ip: string[] } {
    const bare = [...new Set(names.map(withoutBrackets))].sort();
    return { dns: bare.filter((name) => isIP(name) === 0), ip: bare.filter((name) => isIP(name) !== 0) };
}
