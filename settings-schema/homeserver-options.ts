import { z } from "zod";
import { type SecretOption, secretOptions } from "./secret-options.ts";

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
    database: "leave it to /data/homeserver.yaml on the data volume, where the generation run wrote it",
    enable_metrics:
        "leave it out: the program turns it on, for itself alone, to see what a restart would break off",
    log_config: "set synapse:logLevel",
    max_upload_size: "set synapse:maxUploadSize, which nginx must know too",
    media_store_path: "leave it out: media stays on the data volume",
    pid_file: "leave it out: the container's first process is Synapse",
    daemonize: "leave it out: Synapse would leave its container, which then ends",
    signing_key: "leave it out: the key is on the data volume and nowhere else",
    signing_key_path: "leave it out: the key is on the data volume and nowhere else",
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

/** Options that anybody who sees a preview may see. */
export const plainOptions = z
    .record(z.string(), z.unknown(), { error: "an object of homeserver.yaml options" })
    .superRefine((options, context) => {
        refuseOwned(options, context);
        for (const secret of secretOptions(options)) {
            if (isOwned(String(secret.path[0]))) continue;
            context.addIssue({
                code: "custom",
                path: [...secret.path],
                message: "no secret: previews show extraConfig",
                params: { fix: instead(secret) },
                input: "(a value)",
            });
        }
    });

/** Options that nobody may see. */
export const secretOptionsOnly = z
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

function isOwned(option: string): boolean {
    return Object.hasOwn(OWNED_OPTIONS, option);
}

function instead({ path, fileForm }: SecretOption): string {
    const file = fileForm === undefined ? "" : `, or use ${fileForm} with a file on the data volume`;
    // A list is in one place as a whole.
    const inList = path.findIndex((part) => typeof part === "number");
    const place = path.slice(0, inList === -1 ? undefined : inList).join(".");
    const move =
        inList === -1
            ? `pulumi config set --secret --path synapse:secretConfig.${place}, and remove it here`
            : `move the whole list to synapse:secretConfig.${place}, with --secret`;
    return move + file;
}
