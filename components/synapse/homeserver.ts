import { deepmergeCustom } from "deepmerge-ts";
import { dump } from "js-yaml";
import { type DatabaseConnection, PASSFILES } from "../postgres/connection.ts";

/** What homeserver.yaml is rendered from. */
export interface HomeserverArgs {
    readonly serverName: string;
    /** URL that clients use, with a slash at the end. */
    readonly publicBaseUrl: string;
    readonly reportStats: boolean;
    /** Synapse's notation: `50M`. */
    readonly maxUploadSize: string;
    /** How long after its last use Synapse keeps a file, in its notation: `90d`; `off` keeps it. */
    readonly mediaRetention: { readonly remote: string; readonly local: string };
    /**
     * Who stands before Synapse: nobody (`none`), nobody while it speaks TLS itself (`tls`), or a proxy whose
     * X-Forwarded-For is true (`proxy`).
     */
    readonly front: "none" | "tls" | "proxy";
    /** Ports inside the container to listen on for plain HTTP, and for TLS with `front: "tls"`. */
    readonly listen: { readonly http: readonly number[]; readonly tls: readonly number[] };
    /** PostgreSQL; the database of the generated file, SQLite, when undefined. */
    readonly database: DatabaseConnection | undefined;
    /** Port on the container's own loopback for metrics; none when undefined. */
    readonly metricsPort?: number | undefined;
    /** Whether its container has IPv6. */
    readonly ipv6: boolean;
    /** Which other servers it speaks with: `allowList` alone, where there is one. */
    readonly federation: { readonly enabled: boolean; readonly allowList?: readonly string[] | undefined };
    /** What clients are told beside where the server is. */
    readonly wellKnown: { readonly client: Readonly<Record<string, unknown>> };
    /** Options that are merged deeply over the rest; lists are replaced. */
    readonly extraConfig: Readonly<Record<string, unknown>>;
}

const deepmergeReplacingLists = deepmergeCustom({ mergeArrays: false });

/** Where the server finds its files, in its container. */
export const PATHS = {
    certificate: "/certificates/current/fullchain.pem",
    privateKey: "/certificates/current/privkey.pem",
    logConfig: "/config/log.config",
    signingKey: (serverName: string) => `/data/${serverName}.signing.key`,
} as const;

/**
 * The second layer of Synapse's configuration. Synapse reads it after the generated /data/homeserver.yaml, which
 * holds the secrets and the database; an option that stands here replaces the one there as a whole.
 */
export function homeserverYaml(args: HomeserverArgs): string {
    return yaml(visible(args));
}

/**
 * The third layer: `secretConfig`, and of the blocks that it adds to, also what the second one says. Synapse takes
 * each option as a whole from the last layer that has it.
 */
export function secretYaml(args: HomeserverArgs, secretConfig: Readonly<Record<string, unknown>>): string {
    const below = Object.entries(visible(args)).filter(([option]) => Object.hasOwn(secretConfig, option));
    return yaml(deepmergeReplacingLists(Object.fromEntries(below), secretConfig));
}

function visible(args: HomeserverArgs): Record<string, unknown> {
    return deepmergeReplacingLists(homeserver(args), args.extraConfig);
}

function yaml(options: unknown): string {
    return dump(options, { lineWidth: -1, noRefs: true });
}

/** The options as values. */
function homeserver(args: HomeserverArgs): Record<string, unknown> {
    const tls = args.front === "tls";
    return {
        server_name: args.serverName,
        public_baseurl: args.publicBaseUrl,
        report_stats: args.reportStats,
        listeners: [
            ...args.listen.http.map((port) => listener(args, port, false)),
            ...(tls ? args.listen.tls.map((port) => listener(args, port, true)) : []),
            ...(args.metricsPort === undefined ? [] : [metricsListener(args.metricsPort)]),
        ],
        ...(args.database === undefined ? {} : { database: database(args.database) }),
        ...(args.metricsPort === undefined ? {} : { enable_metrics: true }),
        ...(tls ? { tls_certificate_path: PATHS.certificate, tls_private_key_path: PATHS.privateKey } : {}),
        ...federation(args.federation),
        ...(Object.keys(args.wellKnown.client).length === 0
            ? {}
            : // Synapse tells it in answers to logins, too.
              { extra_well_known_client_content: args.wellKnown.client }),
        signing_key_path: PATHS.signingKey(args.serverName),
        media_store_path: "/data/media_store",
        log_config: PATHS.logConfig,
        max_upload_size: args.maxUploadSize,
        media_retention: mediaRetention(args.mediaRetention),
        // The generated file trusts matrix.org's key server, on purpose.
        suppress_key_server_warning: true,
    };
}

/** Inside its own network namespace the container must listen on every address to be reached at all. */
function listener(args: HomeserverArgs, port: number, tls: boolean): Record<string, unknown> {
    return {
        port,
        type: "http",
        tls,
        bind_addresses: args.ipv6 ? ["::", "0.0.0.0"] : ["0.0.0.0"],
        x_forwarded: args.front === "proxy",
        // The resource for federation holds the server's keys and OpenID for other servers.
        resources: [
            { names: args.federation.enabled ? ["client", "federation"] : ["client"], compress: false },
        ],
    };
}

/** Connections of one process to PostgreSQL. */
export const POOL = { min: 5, max: 10 } as const;

function database({ host, port, dbname, user, sslmode, sslrootcert }: DatabaseConnection) {
    return {
        name: "psycopg2",
        args: {
            host,
            port,
            dbname,
            user,
            passfile: PASSFILES.synapse,
            sslmode,
            ...(sslrootcert === undefined ? {} : { sslrootcert }),
            cp_min: POOL.min,
            cp_max: POOL.max,
        },
    };
}

/** An empty list lets nobody in, and nothing out. */
function federation({ enabled, allowList }: HomeserverArgs["federation"]): Record<string, unknown> {
    if (!enabled) return { federation_domain_whitelist: [] };
    return allowList === undefined ? {} : { federation_domain_whitelist: [...allowList] };
}

/** Without a lifetime Synapse keeps them; an empty block replaces one of the generated layer. */
function mediaRetention({ remote, local }: HomeserverArgs["mediaRetention"]): Record<string, unknown> {
    return {
        ...(remote === "off" ? {} : { remote_media_lifetime: remote }),
        ...(local === "off" ? {} : { local_media_lifetime: local }),
    };
}

/** For the server's own start script, which asks what is under way before it stops Synapse. */
function metricsListener(port: number): Record<string, unknown> {
    return { port, type: "metrics", bind_addresses: ["127.0.0.1"] };
}

/** Python's logging configuration: everything to the container's log. */
export function logConfig(level: string): string {
    return dump({
        version: 1,
        formatters: {
            precise: {
                format: "%(asctime)s - %(name)s - %(lineno)d - %(levelname)s - %(request)s - %(message)s",
            },
        },
        handlers: { console: { class: "logging.StreamHandler", formatter: "precise" } },
        loggers: {
            // At DEBUG this logger writes access tokens.
            "synapse.storage.SQL": { level: "INFO" },
            // Deployments read here whether the server is upgrading its database.
            "synapse.storage.prepare_database": { level: "INFO" },
        },
        root: { level, handlers: ["console"] },
        disable_existing_loggers: false,
    });
}
