import { describe } from "node:test";
import { byDns } from "./acme/by-dns.ts";
import { shortLived } from "./acme/short-lived.ts";
import { toStay } from "./acme/to-stay.ts";

// Against a real ACME server, by real certbot. Side by side, since much of it is waiting for certificates to age.

describe("tls.mode: acme", { concurrency: true }, () => {
    describe("a server that is there to stay", { concurrency: 1 }, toStay);
    describe("an address, with certificates that live for 80 seconds", { concurrency: 1 }, shortLived);
    describe("by the DNS, with secrets", { concurrency: 1 }, byDns);
});
