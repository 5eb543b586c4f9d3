import assert from "node:assert/strict";
import type { Registration } from "../../support/engine.ts";
import { type Run, runProgram as runWhole } from "../../support/program.ts";

/** What the whole program registers with some settings: each is run once, for the tests of all of this directory. */

export type { Registration, Run };

export const SERVER = "homeserver";

/** The name of what the server registers, without the server's own before it. */
const bare = (name: string) => name.replace(new RegExp(`^${SERVER}-`), "");

/** A run of the program, in which names are given without that of the server that they all begin with. */
export async function runProgram(...args: Parameters<typeof runWhole>): Promise<Run> {
    const { registrations, ...others } = await runWhole(...args);
    const named = registrations.map((resource): Registration => {
        if (resource.name !== SERVER) assert.match(resource.name, new RegExp(`^${SERVER}-`));
        const { beforeCreate, beforeUpdate, others: more } = resource.hooks;
        return {
            ...resource,
            name: bare(resource.name),
            parent: resource.parent === SERVER ? "" : bare(resource.parent),
            dependencies: resource.dependencies.map(bare),
            hooks: {
                beforeCreate: beforeCreate.map(bare),
                beforeUpdate: beforeUpdate.map(bare),
                others: more.map(bare),
            },
        };
    });
    return { ...others, registrations: named };
}

export const NAMED = { serverName: "example.org", publicHost: "matrix.example.org" };
export const FILES = { ...NAMED, tls: { mode: "files" } };
export const MODES = ["none", "synapse", "files", "acme", "local-ca", "proxy"] as const;
export type Mode = (typeof MODES)[number];

/** The least that a mode must be told. */
export const tlsOf = (mode: Mode) => ({
    mode,
    ...(mode === "acme" ? { email: "admin@example.org" } : {}),
    ...(mode === "proxy" ? { publicUrl: "https://matrix.example.org" } : {}),
});
/** A first look is for this machine alone. */
const namedFor = (mode: Mode) => (mode === "none" ? { ...NAMED, publicHost: "localhost" } : NAMED);

// Side by side: each takes a process of its own.
export const runs = Object.fromEntries(
    await Promise.all(
        MODES.map(async (mode) => [mode, await runProgram({ ...namedFor(mode), tls: tlsOf(mode) })] as const),
    ),
) as Record<Mode, Run>;
export const dockerHost = "ssh://deploy@docker.example.org";
export const SECRETS = ["dns_cloudflare_api_token = Hunter2", "SHVudGVyMw"] as const;
const byDns = {
    ...tlsOf("acme"),
    names: ["*.example.org"],
    challenge: { type: "dns-01", plugin: "cloudflare", credentials: SECRETS[0] },
    externalAccount: { keyId: "key-1", hmacKey: SECRETS[1] },
};
export const HIDDEN = "Hunter4";
const withSecretConfig = {
    ...FILES,
    extraConfig: { email: { smtp_host: "mail.example.org" } },
    secretConfig: { email: { smtp_pass: HIDDEN } },
};
export const DATABASE_PASSWORD = "Hunter5:with\\marks";
export const external = {
    kind: "external",
    host: "db.example.org",
    user: "chat",
    password: DATABASE_PASSWORD,
    ca: "/etc/ssl/database.pem",
};
export const [inFile, elsewhere] = await Promise.all([
    runProgram({ ...NAMED, tls: { mode: "local-ca" }, ephemeral: true, upgrade: { dump: false } }),
    runProgram({ ...FILES, database: external }, "test", ["database"]),
]);
export const [ephemeral, secretive, larger, roomier, production, hiding, together, alone, dual] =
    await Promise.all([
        runProgram({
            ...NAMED,
            tls: { mode: "local-ca" },
            ephemeral: true,
            database: { kind: "postgres" },
        }),
        runProgram({ ...NAMED, tls: byDns, ephemeral: true }, "test", ["tls"]),
        runProgram({ ...FILES, maxUploadSize: "100M" }),
        runProgram({ ...FILES, memory: { synapse: 8192, nginx: 512 } }),
        runProgram({ ...FILES, dockerHost }, "prod"),
        runProgram(withSecretConfig, "test", ["secretConfig"]),
        runProgram({ ...FILES, federation: { port: 443 }, holdSeconds: 0 }),
        runProgram({ ...FILES, federation: { enabled: false } }),
        runProgram({
            ...FILES,
            ipv6: true,
            listenAddresses: { public: ["0.0.0.0", "::"] },
            ports: { synapse: "off" },
        }),
    ]);
export const CA_BUNDLE = "-----BEGIN CERTIFICATE-----";
export const runsOfOtherCas = await Promise.all([
    runProgram({ ...NAMED, tls: { ...tlsOf("acme"), server: "staging" } }),
    runProgram({
        ...NAMED,
        tls: { ...tlsOf("acme"), server: "https://ca.example.org/dir", caBundle: CA_BUNDLE },
    }),
]);
const proxy = { ...tlsOf("proxy"), publicUrl: "https://matrix.example.org:8443" };
export const [loopback, unnamed, behindOther, behindUnknown] = await Promise.all([
    runProgram({ ...FILES, listenAddresses: { public: ["127.0.0.1", "::1"] } }),
    runProgram({ serverName: "matrix.test", tls: { mode: "local-ca" } }),
    runProgram({
        ...NAMED,
        tls: { ...proxy, trustedProxies: ["10.0.0.5"] },
        listenAddresses: { public: ["10.0.0.2", "10.0.0.3"] },
        federation: { enabled: false },
        ports: { http: 8888 },
    }),
    runProgram({ ...NAMED, tls: proxy, ephemeral: true }),
]);
export const BACKUP_SECRETS = ["Hunter5-of-backups", "Hunter6"] as const;
const backup = {
    repository: "s3:https://s3.example.net/chat",
    password: BACKUP_SECRETS[0],
    environment: { AWS_ACCESS_KEY_ID: "chat", AWS_SECRET_ACCESS_KEY: BACKUP_SECRETS[1] },
};
export const [backedUp, restoring, keptHere] = await Promise.all([
    runProgram({ ...FILES, backup }, "test", ["backup"]),
    runProgram({ ...FILES, backup, restore: "latest" }, "test", ["backup"]),
    runProgram(
        {
            ...FILES,
            database: { kind: "sqlite" },
            backup: {
                repository: "/mnt/backups",
                password: BACKUP_SECRETS[0],
                every: 6,
                keep: { last: 3, daily: 0 },
            },
        },
        "test",
        ["backup"],
    ),
]);
export const everyRun = [
    backedUp,
    restoring,
    keptHere,
    ...Object.values(runs),
    ephemeral,
    inFile,
    elsewhere,
    secretive,
    larger,
    roomier,
    hiding,
    together,
    alone,
    dual,
    behindOther,
    behindUnknown,
];
