/** What postgresql.conf is rendered from. */
export interface ConfArgs {
    /** The container's memory limit, MiB. */
    readonly memory: number;
    /** Connections that the server's own processes keep open at most. */
    readonly poolSize: number;
}

/** Connections for a backup, a check, a person with psql, and those that PostgreSQL keeps for its superuser. */
const BESIDE_THE_POOLS = 20;

/**
 * The sizes that follow from the memory limit, MiB. A quarter is PostgreSQL's own cache, as its documentation
 * advises; the kernel's, which counts to the container, is what remains. Each connection may sort in `work_mem` more
 * than once, so all of them together get a quarter.
 */
export function sizes({ memory, poolSize }: ConfArgs) {
    const connections = poolSize + BESIDE_THE_POOLS;
    const quarter = Math.floor(memory / 4);
    return {
        max_connections: connections,
        shared_buffers: quarter,
        effective_cache_size: Math.floor((memory * 5) / 8),
        maintenance_work_mem: Math.min(Math.floor(memory / 16), 1024),
        work_mem: Math.max(2, Math.min(64, Math.floor(quarter / connections))),
    };
}

/** `/dev/shm`, MiB, where parallel queries keep what they share: 64 MiB, Docker's own, fail with large ones. */
export function sharedMemory(memory: number): number {
    return Math.max(64, Math.floor(memory / 4));
}

/** postgresql.conf, for every major that Synapse supports. */
export function postgresqlConf(args: ConfArgs): string {
    const { max_connections, ...memory } = sizes(args);
    return lines({
        listen_addresses: "'*'",
        unix_socket_directories: "'/var/run/postgresql'",
        hba_file: "'/config/pg_hba.conf'",
        // Beside the data, where nothing of ours stands.
        ident_file: "'/config/pg_ident.conf'",
        password_encryption: "'scram-sha-256'",
        max_connections: String(max_connections),
        ...Object.fromEntries(Object.entries(memory).map(([name, size]) => [name, `${size}MB`])),
        // A solid disk's: the default of 4 is that of one that turns.
        random_page_cost: "1.1",
        // Half an hour of checkpoints would be lost time at every start after a crash; this bounds the space instead.
        max_wal_size: "1GB",
        log_timezone: "'UTC'",
        timezone: "'UTC'",
        // Into the container's log, without statements: they hold what people wrote.
        logging_collector: "off",
        log_statement: "'none'",
        log_min_error_statement: "'panic'",
        log_parameter_max_length_on_error: "0",
        log_checkpoints: "off",
        dynamic_shared_memory_type: "'posix'",
    });
}

function lines(options: Readonly<Record<string, string>>): string {
    return Object.entries(options)
        .map(([name, value]) => `${name} = ${value}\n`)
        .join("");
}

/**
 * pg_hba.conf: over the network the owner of the database alone, with its password, and to the one that `npm run
 * rollback` fills beside it; inside the container its user.
 */
export function pgHbaConf({ dbname, user }: { readonly dbname: string; readonly user: string }): string {
    return [
        "# type database user address method",
        "local all postgres peer",
        "local all all peer map=administrator",
        `host ${dbname},${dbname}_rollback ${user} all scram-sha-256`,
        "",
    ].join("\n");
}

/** pg_ident.conf: the container's user may be any role, for whoever mends something with psql. */
export const PG_IDENT_CONF = "administrator postgres all\n";
