import assert from "node:assert/strict";
import { nginxConf } from "../../components/nginx/conf.ts";
import type { NginxConfArgs } from "../../components/nginx/conf-args.ts";
import { type Directive, everywhere, here, parseNginx } from "./nginx.ts";

/** What tests render nginx.conf from, unless they say otherwise. */
export const ARGS: NginxConfArgs = {
    publicHost: "matrix.example.org",
    httpsPort: 443,
    federationPort: 8448,
    federation: "apart",
    wellKnown: { client: {}, server: {} },
    ipv6: false,
    maxUploadSize: "50M",
    profile: "intermediate",
    hsts: true,
    http3: false,
    acmeChallenges: false,
    holdSeconds: 15,
    memory: 256,
    holdScript: "",
    upstream: "synapse:8008",
    listen: { http: [80], https: [443], federation: [8448] },
};

export const parsed = (more: Partial<NginxConfArgs> = {}) => parseNginx(nginxConf({ ...ARGS, ...more }).text);

/** The one directive of a name, at any depth. */
export function only(directives: readonly Directive[], name: string): Directive {
    const found = everywhere(directives, name);
    assert.equal(found.length, 1, `${found.length} × ${name}`);
    return found[0] as Directive;
}

export const serversOf = (directives: readonly Directive[]) =>
    everywhere(directives, "server").flatMap(({ block }) => (block === undefined ? [] : [block]));

/** The server that speaks TLS. */
export function publicServer(directives: readonly Directive[]): readonly Directive[] {
    const tls = serversOf(directives).filter((block) =>
        here(block, "listen").some(({ args }) => args.includes("ssl")),
    );
    assert.equal(tls.length, 1);
    return tls[0] ?? [];
}

export const locationsOf = (block: readonly Directive[]) =>
    here(block, "location").map((location) => ({ match: location.args, block: location.block ?? [] }));

export const proxying = (block: readonly Directive[]) =>
    locationsOf(block).filter((location) => here(location.block, "proxy_pass").length > 0);

export const headersOf = (block: readonly Directive[], directive = "add_header") =>
    Object.fromEntries(here(block, directive).map(({ args: [name = "", ...value] }) => [name, value]));

export const listens = (directives: readonly Directive[]) =>
    serversOf(directives).map((block) => here(block, "listen").map(({ args }) => args.join(" ")));

/** The location that nginx takes for a path that it has resolved, as its documentation tells it. */
export function locationFor(server: readonly Directive[], path: string) {
    const locations = locationsOf(server);
    return (
        locations.find(({ match }) => match[0] === "=" && match[1] === path) ??
        locations.find(({ match }) => match[0] === "~" && new RegExp(match[1] ?? "").test(path)) ??
        locations.find(({ match }) => match.length === 1 && match[0] === "/")
    );
}

/** What a map makes of a value: its exact keys, then its regular expressions, then its default. */
export function mapped(directives: readonly Directive[], variable: string, value: string): string {
    const map = everywhere(directives, "map").find(({ args }) => args[1] === variable);
    const entries = (map?.block ?? []).map(({ name, args }) => [name, args[0] ?? ""] as const);
    const match =
        entries.find(([name]) => name === value) ??
        entries.find(([name]) => name.startsWith("~") && new RegExp(name.slice(1)).test(value)) ??
        entries.find(([name]) => name === "default");
    return match?.[1] ?? "";
}
