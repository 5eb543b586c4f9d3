import { isIP } from "node:net";

/** Names that the DNS of the world does not have: reserved by RFC 6761, 6762, 7686, 8375 and 9476, or by ICANN. */
const SPECIAL = /(^|\.)(localhost|test|example|invalid|local|internal|home\.arpa|onion|alt|lan|home|corp)$/;

/** Whether the DNS of the world can know a name: neither an address, nor one that is reserved for other uses. */
export function isPublicName(name: string): boolean {
    return name.includes(".") && isIP(name) === 0 && !name.startsWith("[") && !SPECIAL.test(name);
}
