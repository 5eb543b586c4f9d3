import { isIP } from "node:net";
import { domainToASCII, domainToUnicode } from "node:url";

/** Names and addresses: what they look like, and what follows from that alone. */

export const DNS_NAME =
    /^(?=.{1,230}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** Names that the DNS of the world does not have: reserved by RFC 6761, 6762, 7686, 8375 and 9476, or by ICANN. */
const SPECIAL = /(^|\.)(localhost|test|example|invalid|local|internal|home\.arpa|onion|alt|lan|home|corp)$/;

/** A DNS name in lower case, an IPv4 address, or an IPv6 address in brackets: Matrix's grammar without the port. */
export function isServerName(text: string): boolean {
    return isHost(text) && text.length <= 230;
}

/** What of Matrix's grammar also stands in a URL. */
export function isHost(text: string): boolean {
    // Without a zone, which means something on one machine alone.
    if (/^\[[0-9a-f:.]+\]$/.test(text)) return isIP(withoutBrackets(text)) === 6;
    if (!DNS_NAME.test(text) || !text.split(".").every(isReadable)) return false;
    // Clients reach it by a URL, which reads 0x7f.1 as an address, and example.123 as nothing.
    const url = `https://${text}`;
    return URL.canParse(url) && new URL(url).hostname === text;
}

/** Whether a label is no broken punycode: some URL parsers read that as nothing, and newer ones let it pass. */
function isReadable(label: string): boolean {
    const unicode = domainToUnicode(label);
    return !label.startsWith("xn--") || (unicode !== label && domainToASCII(unicode) === label);
}

/** Whether a host is an IPv4 address, or an IPv6 address with or without brackets. */
export function isAddress(host: string): boolean {
    return isIP(withoutBrackets(host)) !== 0;
}

/** What a public CA certifies: a DNS name with a dot, or an address. */
export function isCertificateName(name: string): boolean {
    return isHost(name) && (isAddress(name) || name.includes("."));
}

/** Whether the DNS of the world can know a name: neither an address, nor one that is reserved for other uses. */
export function isPublicName(name: string): boolean {
    return name.includes(".") && isIP(name) === 0 && !name.startsWith("[") && !SPECIAL.test(name);
}

/** Whether a host leads to the machine itself. */
export function isLoopback(host: string): boolean {
    return host.startsWith("127.") || host === "::1" || host === "localhost";
}

/** Whether a name is this machine's own, which no DNS has: `localhost`, `chat.localhost`. */
export function isLocalName(name: string): boolean {
    return /(^|\.)localhost$/.test(name);
}

/** `[::1]` as TLS, sockets and certificates know it: `::1`. */
export function withoutBrackets(host: string): string {
    return host.replace(/^\[(.*)\]$/, "$1");
}

/** `127.0.0.1:443`, `[::1]:443`. */
export function authority(address: string, port: number | string): string {
    return `${isIP(address) === 6 ? `[${address}]` : address}:${port}`;
}
