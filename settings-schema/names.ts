import { isIP } from "node:net";

export const DNS_NAME =
    /^(?=.{1,230}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** A DNS name in lower case, an IPv4 address, or an IPv6 address in brackets: Matrix's grammar without the port. */
export function isServerName(text: string): boolean {
    return isHost(text) && text.length <= 230;
}

/** What of Matrix's grammar also stands in a URL. */
export function isHost(text: string): boolean {
    // Without a zone, which means something on one machine alone.
    if (/^\[[0-9a-f:.]+\]$/.test(text)) return isIP(text.slice(1, -1)) === 6;
    // Clients reach it by a URL, which reads 0x7f.1 as an address, and example.123 or broken punycode as nothing.
    const url = `https://${text}`;
    return DNS_NAME.test(text) && URL.canParse(url) && new URL(url).hostname === text;
}
