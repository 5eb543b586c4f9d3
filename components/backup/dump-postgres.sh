#!/bin/sh
# Stands before dump.sh in the PostgreSQL image. libpq's own variables say where the database is.

# dump PIPE: not compressed, so that restic finds what was there before, and compresses what is new. One-time keys that
# were given out already must not be given out again.
dump() {
    exec pg_dump --format=custom --compress=0 --no-password --lock-wait-timeout=300000 \
        --exclude-table-data=e2e_one_time_keys_json >"$1"
}
