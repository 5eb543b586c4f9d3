import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
    PG_IDENT_CONF,
    pgHbaConf,
    postgresqlConf,
    sharedMemory,
    sizes,
} from "../../../components/postgres/conf.ts";
import { POOL } from "../../../components/synapse/homeserver.ts";

const poolSize = POOL.max;

for (const [memory, shared_buffers, effective_cache_size, maintenance_work_mem, work_mem, shm] of [
    [256, 64, 160, 16, 2, 64],
    [1024, 256, 640, 64, 8, 256],
    [4096, 1024, 2560, 256, 34, 1024],
    [65536, 16384, 40960, 1024, 64, 16384],
] as const) {
    test(`the sizes in ${memory} MiB`, () => {
        assert.deepEqual(sizes({ memory, poolSize }), {
            max_connections: 30,
            shared_buffers,
            effective_cache_size,
            maintenance_work_mem,
            work_mem,
        });
        assert.equal(sharedMemory(memory), shm);
    });
}

test("whatever the memory, what PostgreSQL keeps and what all connections sort in stays within it", () => {
    // So many connections have 2 MiB each in their quarter.
    const cases = fc
        .integer({ min: 256, max: 1_048_576 })
        .chain((memory) =>
            fc.tuple(
                fc.constant(memory),
                fc.integer({ min: 1, max: Math.min(5000, Math.floor(memory / 8) - 20) }),
            ),
        );
    fc.assert(
        fc.property(cases, ([memory, pool]) => {
            const { max_connections, shared_buffers, work_mem, maintenance_work_mem, effective_cache_size } =
                sizes({ memory, poolSize: pool });
            // Each of the three autovacuum workers may take as much as a person's maintenance.
            const all = shared_buffers + work_mem * max_connections + maintenance_work_mem * 4;
            assert.ok(all <= memory, `${all} of ${memory} for ${max_connections} connections`);
            assert.ok(max_connections >= pool + 20);
            assert.ok(effective_cache_size < memory);
            assert.ok(work_mem >= 2 && work_mem <= 64 && maintenance_work_mem >= 16);
        }),
        { examples: [[[256, poolSize]]] },
    );
});

test("postgresql.conf is this", () => {
    assert.equal(
        postgresqlConf({ memory: 1024, poolSize }),
        `listen_addresses = '*'
unix_socket_directories = '/var/run/postgresql'
hba_file = '/config/pg_hba.conf'
ident_file = '/config/pg_ident.conf'
password_encryption = 'scram-sha-256'
max_connections = 30
shared_buffers = 256MB
effective_cache_size = 640MB
maintenance_work_mem = 64MB
work_mem = 8MB
random_page_cost = 1.1
max_wal_size = 1GB
log_timezone = 'UTC'
timezone = 'UTC'
logging_collector = off
log_statement = 'none'
log_min_error_statement = 'panic'
log_parameter_max_length_on_error = 0
log_checkpoints = off
dynamic_shared_memory_type = 'posix'
`,
    );
});

test("over the network nobody is let in but the database's owner, to it alone, with the password", () => {
    const rules = pgHbaConf({ dbname: "synapse", user: "synapse" })
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("#"));
    assert.deepEqual(rules, [
        "local all postgres peer",
        "local all all peer map=administrator",
        "host synapse,synapse_rollback synapse all scram-sha-256",
    ]);
    assert.equal(PG_IDENT_CONF, "administrator postgres all\n");
});
