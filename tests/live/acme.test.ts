import { describe } from "node:test";
import { hasProfiles } from "../support/pebble.ts";
import { byDns } from "./acme/by-dns.ts";
import { shortLived } from "./acme/short-lived.ts";
import { toStay } from "./acme/to-stay.ts";

// Against a real ACME server, by real certbot. Side by side, since much of it is waiting for certificates to age.

describe("tls.mode: acme", { concurrency: true }, () => {
    describe("a server that is there to stay", { concurrency: 1 }, toStay);
    // Debian's pebble knows no profiles, and certbot asks for an address in one alone.
    const skip = hasProfiles ? false : "scripts/setup.sh builds a newer pebble where Go is";
    describe("an address, with certificates that live for 80 seconds", { concurrency: 1, skip }, shortLived);
    describe("by the DNS, with secrets", { concurrency: 1 }, byDns);
});
