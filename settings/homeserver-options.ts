import { z } from "zod";
import type { FieldFault } from "./faults.ts";
import { front } from "./front.ts";
import type { Given } from "./schema.ts";
import { isRecord } from "./written.ts";

/** What both `extraConfig` and `secretConfig` hold: options of homeserver.yaml. */

/** Options of homeserver.yaml that this program must own, and what to use instead. */
export const OWNED_OPTIONS: Readonly<Record<string, string>> = {
    server_name: "set synapse:serverName",
    public_baseurl: "set synapse:publicHost and synapse:ports, or synapse:tls.publicUrl in tls.mode proxy",
    report_stats: "set synapse:reportStats",
    listeners: "set synapse:tls, synapse:ports and synapse:listenAddresses",
    bind_port: "set synapse:ports; it would replace every listener",
    bind_host: "set synapse:listenAddresses",
    unsecure_port: "set synapse:ports",
    no_tls: "set synapse:tls",
    federation_domain_whitelist: "set synapse:federation.allowList, or synapse:federation.enabled to false",
    extra_well_known_client_content: "set synapse:wellKnown.client",
    database: "set synapse:database",
    enable_metrics:
        "leave it out: the program turns it on, for itself alone, to see what a restart would break off",
    log_config: "set synapse:logLevel",
    max_upload_size: "set synapse:maxUploadSize, which nginx must know too",
    media_retention: "set synapse:mediaRetention",
    media_store_path: "leave it out: media stays on the data volume",
    pid_file: "leave it out: the container's first process is Synapse",
    daemonize: "leave it out: Synapse would leave its container, which then ends",
    signing_key: "leave it out: the key is on the data volume and nowhere else",
    signing_key_path: "leave it out: the key is on the data volume and nowhere else",
    old_signing_keys:
        "leave it out: /data/old_signing_keys.yaml has them; synapse:signingKey.rotation adds to it",
    tls_certificate_path: "set synapse:tls",
    tls_private_key_path: "set synapse:tls",
    registration_shared_secret:
        "leave it out: it is in /data/homeserver.yaml, where the generation run wrote it",
    registration_shared_secret_path:
        "leave it out: the secret is in /data/homeserver.yaml, where the generation run wrote it",
    macaroon_secret_key: "leave it out: it is in /data/homeserver.yaml, where the generation run wrote it",
    macaroon_secret_key_path:
        "leave it out: the key is in /data/homeserver.yaml, where the generation run wrote it",
    form_secret: "leave it out: it is in /data/homeserver.yaml, where the generation run wrote it",
    form_secret_path:
        "leave it out: the secret is in /data/homeserver.yaml, where the generation run wrote it",
};

/** Any options but those that the program owns. */
export const homeserverOptions = z
    .record(z.string(), z.unknown(), { error: "an object of homeserver.yaml options" })
    .superRefine(refuseOwned);

function refuseOwned(options: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void {
    for (const option of Object.keys(options).filter(isOwned)) {
        context.addIssue({
            code: "custom",
            path: [option],
            message: "nothing: the program owns this option",
            params: { fix: OWNED_OPTIONS[option] },
            input: "(a value)",
        });
    }
}

export function isOwned(option: string): boolean {
    return Object.hasOwn(OWNED_OPTIONS, option);
}

/** What of homeserver.yaml has no effect behind nginx, which answers in Synapse's place, and why. */
const BEHIND_NGINX: Readonly<Record<string, string>> = {
    serve_server_wellknown: "leave it out: nginx serves the file; synapse:wellKnown.server adds to it",
    web_client_location:
        "leave it out: outside of /_matrix nginx answers by itself, and leads from / to Synapse's own page",
};

/** What would be taken without a word, and never have an effect. */
export function noEffectFaults(given: Given): FieldFault[] {
    const { extraConfig, secretConfig } = given;
    if (front(given) !== "proxy") return [];
    return Object.entries(BEHIND_NGINX).flatMap(([option, fix]) =>
        Object.entries({ extraConfig, secretConfig })
            .filter(([, options]) => Object.hasOwn(options, option))
            .map(([setting]) => ({
                key: `${setting}.${option}`,
                got: "(a value)",
                wanted: "nothing: behind nginx it has no effect",
                fix,
            })),
    );
}

/** One of two values would have no effect, unless both are blocks, which are merged. */
export function twiceFaults({ extraConfig, secretConfig }: Given): FieldFault[] {
    return Object.keys(secretConfig)
        .filter((option) => Object.hasOwn(extraConfig, option))
        .filter((option) => !isRecord(extraConfig[option]) || !isRecord(secretConfig[option]))
        .map((option) => ({
            key: `extraConfig.${option}`,
            got: "an option that is in secretConfig, too",
            wanted: "the option in one of the two: only blocks are merged",
            fix: `pulumi config rm --path synapse:extraConfig.${option}`,
        }));
}
