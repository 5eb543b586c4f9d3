import fc from "fast-check";

/** Names that are servers' by Matrix's grammar, without a port, and what is none. */

export const label = fc
    .stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/)
    .filter((text) => !text.startsWith("xn--"));
// A name that ends in a number is no name: URLs take it for an IPv4 address.
const lastLabel = label.filter((text) => !/^([0-9]+|0x[0-9a-f]*)$/.test(text));
const dnsName = fc
    .tuple(fc.array(label, { maxLength: 5 }), lastLabel)
    .map(([labels, last]) => [...labels, last].join("."));
const ipv6Host = fc.ipV6().map((address) => `[${address}]`);

export const validHost = fc.oneof(dnsName, fc.ipV4(), ipv6Host);

const STRAY = [..." /\"'\n\r\t\0;$%@#?\\é,"];

export const invalidHost = fc.oneof(
    fc.tuple(validHost, fc.integer({ min: 0, max: 65535 })).map(([host, port]) => `${host}:${port}`),
    fc.tuple(validHost, fc.nat(), fc.constantFrom(...STRAY)).map(([host, position, stray]) => {
        const at = position % (host.length + 1);
        return host.slice(0, at) + stray + host.slice(at);
    }),
    validHost.map((host) => host.toUpperCase()).filter((host) => /[A-Z]/.test(host)),
    validHost.map((host) => `.${host}`),
    validHost.map((host) => `${host}.`),
    dnsName.map((name) => `-${name}`),
    dnsName.map((name) => `${name}-`),
    fc.tuple(label, label).map((labels) => labels.join("..")),
    fc.tuple(dnsName, fc.nat()).map(([name, number]) => `${name}.${number}`),
    fc.ipV6(),
    ipv6Host.map((host) => host.replace("]", "%eth0]")),
);

export const NO_HOSTS = [
    "",
    ".",
    "[",
    "[]",
    "[]]",
    "[1.2.3.4]",
    "123",
    "0x7f.1",
    "a.0xab",
    "xn--a",
    "xn--a-",
    "a.xn--99999",
    "..",
    "a/../b",
];
