import assert from "node:assert/strict";
import type { AcmeSource } from "../../components/certificates/source.ts";
import { topology } from "../../components/homeserver/topology.ts";
import { readSettings } from "../../settings/read.ts";
import type { Settings } from "../../settings/settings.ts";

const LEAST = { mode: "acme", email: "admin@example.org" };
/** A challenge by the DNS. */
export const BY_DNS = {
    type: "dns-01",
    plugin: "cloudflare",
    credentials: "dns_cloudflare_api_token = Hunter2",
};

/** Settings of a stack in mode acme. */
export function read(
    tls: Record<string, unknown>,
    others: Record<string, string> = {},
    secret: readonly string[] = ["tls"],
): Settings {
    const config = { serverName: "example.org", tls: JSON.stringify({ ...LEAST, ...tls }), ...others };
    return readSettings("prod", config, (key) => secret.includes(key));
}

/** What such settings are refused with. */
export function refusal(...args: Parameters<typeof read>): string {
    try {
        read(...args);
    } catch (error) {
        return (error as Error).message;
    }
    assert.fail(`${JSON.stringify(args)} was not refused`);
}

/** What becomes of the setting `tls`. */
export function sourceOf(tls: Record<string, unknown>): AcmeSource {
    const source = topology(read(tls)).certificate;
    assert.ok(source?.mode === "acme");
    return source;
}
