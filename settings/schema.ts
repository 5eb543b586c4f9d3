import { z } from "zod";
import { backup, restore, restoreFaults } from "./backup.ts";
import { database, databaseFaults } from "./database.ts";
import { dockerHost } from "./docker-host.ts";
import { extraConfig } from "./extra-config.ts";
import type { FieldFault } from "./faults.ts";
import { federation, federationFaults } from "./federation.ts";
import { noEffectFaults, twiceFaults } from "./homeserver-options.ts";
import { images } from "./images.ts";
import { ip6tables, ipv6, ipv6Faults } from "./ipv6.ts";
import { flag } from "./kinds.ts";
import { listenAddresses } from "./listen-addresses.ts";
import { maxUploadSize } from "./max-upload-size.ts";
import { mediaRetention } from "./media-retention.ts";
import { memory } from "./memory.ts";
import { name } from "./name.ts";
import { offFaults, ports, standardPortFaults } from "./ports.ts";
import { publicHost } from "./public-host.ts";
import { secretConfig } from "./secret-config.ts";
import { serverName } from "./server-name.ts";
import { signingKey } from "./signing-key.ts";
import { takeOver } from "./take-over.ts";
import { acmeFaults } from "./tls/acme.ts";
import { http3Faults } from "./tls/nginx.ts";
import { firstLookFaults } from "./tls/none.ts";
import { behindProxyFaults } from "./tls/proxy.ts";
import { TLS_WHEN_MISSING, tls } from "./tls/tls.ts";
import { upgrade } from "./upgrade.ts";
import { holdSeconds, startSeconds } from "./waiting.ts";
import { unservedFaults, wellKnown } from "./well-known.ts";
import type { Written } from "./written.ts";

/**
 * What may stand in a stack's configuration. The JSON Schema that editors use, the `config:` section of
 * Pulumi.yaml and docs/settings.md are made from it by `npm run schema`.
 */
export const settingsSchema = z.strictObject({
    serverName,
    publicHost,
    reportStats: flag().default(false).describe("Whether Synapse reports usage statistics to its makers."),
    tls,
    database,
    ports,
    listenAddresses,
    federation,
    wellKnown,
    ipv6,
    ip6tables,
    maxUploadSize,
    mediaRetention,
    holdSeconds,
    startSeconds,
    upgrade,
    logLevel: z
        .enum(["DEBUG", "INFO", "WARNING", "ERROR"], { error: "one of DEBUG, INFO, WARNING, ERROR" })
        .default("INFO")
        .describe("Level of Synapse's log, which goes to the container's log."),
    extraConfig,
    secretConfig,
    signingKey,
    backup,
    restore,
    images,
    memory,
    ephemeral: flag()
        .default(false)
        .describe("Whether the stack is a throw-away: destroying it removes its data too."),
    name,
    takeOver,
    dockerHost,
});

/** Settings that are right one by one; what was left out and depends on others is still left out. */
export type Given = z.output<typeof settingsSchema>;

/** What must be true of several settings together. */
export const RULES: readonly ((given: Given, written: Written) => FieldFault[])[] = [
    standardPortFaults,
    acmeFaults,
    http3Faults,
    twiceFaults,
    federationFaults,
    behindProxyFaults,
    firstLookFaults,
    ipv6Faults,
    offFaults,
    noEffectFaults,
    unservedFaults,
    restoreFaults,
    databaseFaults,
];

/** How a setting is set that must be, and is not: by key. */
export const WHEN_MISSING: Readonly<Record<string, string>> = {
    tls: TLS_WHEN_MISSING,
    "backup.password": "pulumi config set --secret --path synapse:backup.password <password>",
};
