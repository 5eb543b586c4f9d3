#!/bin/sh
# Runs in a disposable container of the new major's image, as root with SETUID, SETGID and DAC_READ_SEARCH alone, on the
# stack's network.
# Copies the database from the server of the old major, which nobody writes to meanwhile, to a cluster of the new one.
# Nothing of the old one is changed. Killed at any moment, the next run begins again, unless the copy was whole.
#   CHECKED       what the initialization said: `upgrade 15`
#   MOUNT         where the data volume is
#   MAJOR         PostgreSQL's new major version
#   OWNER         uid:gid of PostgreSQL's user
#   SERVER_USER   uid:gid of the server's, whose data volume is at /data
#   COPIED        file that says what has been copied where, until the server is let in
#   LOCK          file whose lock the server shares while it runs
#   PATIENCE      seconds that the old server may take to accept queries
#   MAINTENANCE_MIB  memory for making indexes
#   CLUSTER       cluster.sh
#   DBNAME, ROLE  the database, and the role that owns it
#   PGHOST …      how the old server is reached, in libpq's words

OLD=${CHECKED#upgrade }
export OLD

eval "$CLUSTER"

# shellcheck disable=SC2016  # for the other shell
[ -e "$LOCK" ] || as "$SERVER_USER" sh -c ': >>"$LOCK"'
# Held until this ends. A copy made while the server writes would lack what it writes.
exec 8<"$LOCK"
flock -n 8 || {
    if flock -s -n 8; then
        echo "The server has been started again, and writes to PostgreSQL $OLD. Run this again." >&2
        exit 1
    fi
    echo "An earlier run is still copying the data; waiting for it." >&2
    flock 8
}

if as "$OWNER" test -e "$MOUNT/$MAJOR/docker/PG_VERSION"; then exit 0; fi
# Of a copy to another major that was given up.
as "$SERVER_USER" rm -f "$COPIED"

as "$OWNER" /bin/bash -euc "$(
    cat <<'POSTGRES'
set -o pipefail
cd "$MOUNT"
umask 077
eval "$CLUSTER"
copy="$PWD/$MAJOR/new"
telling=

ended() {
    status=$?
    [ -z "$telling" ] || kill "$telling" 2>/dev/null || true
    [ "$status" != 0 ] || return 0
    pg_ctl --pgdata="$copy" --mode=immediate stop >/dev/null 2>&1 || true
    # The old server needs the room.
    rm -rf "$copy"
    echo "The data could not be copied to PostgreSQL $MAJOR; that of $OLD is untouched." >&2
}
trap ended EXIT

in_old() {
    psql --no-password --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 "$@"
}

# Everything that Synapse has there: tables with their rows, sequences with where they are, indexes, functions, triggers.
listing() {
    cat <<'SQL'
SELECT format('%s %I.%I', relkind, nspname, relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname !~ '^(pg_|information_schema$)' ORDER BY 1;
SELECT format('function %s', oid::regprocedure) FROM pg_proc
    WHERE pronamespace::regnamespace::text !~ '^(pg_|information_schema$)' ORDER BY 1;
SELECT format('trigger %I on %s', tgname, tgrelid::regclass) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1;
SELECT format('sequence %I.%I at %s', schemaname, sequencename, last_value) FROM pg_sequences ORDER BY 1;
SELECT format('SELECT %L, count(*) FROM %I.%I', format('rows of %I.%I', nspname, relname), nspname, relname)
    FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname !~ '^(pg_|information_schema$)' AND relkind IN ('r', 'p') ORDER BY 1 \gexec
SELECT 'SELECT ''schema version'', version FROM schema_version' WHERE to_regclass('schema_version') IS NOT NULL \gexec
SQL
}

began=$(date +%s)
until said=$(in_old --command='SHOW server_version_num' 2>&1); do
    [ "$(date +%s)" -lt $((began + PATIENCE)) ] || {
        echo "PostgreSQL $OLD cannot be asked for its data: $said" >&2
        echo "If its container is gone: set synapse:database.version to $OLD, deploy that, and then this again." >&2
        exit 1
    }
    sleep 1
done
[ "$((said / 10000))" = "$OLD" ] || {
    echo "The server at $PGHOST is PostgreSQL $((said / 10000)), and the data is of $OLD." >&2
    exit 1
}
others=$(in_old --command="SELECT string_agg(name, ', ' ORDER BY name) FROM (
    SELECT 'database ' || datname FROM pg_database WHERE NOT datistemplate AND datname NOT IN ('postgres', current_database())
    UNION SELECT 'role ' || rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname NOT IN ('postgres', current_user)
) others (name)")
[ -z "$others" ] || echo "Not copied, as only the server's own database is: $others." >&2

size=$(in_old --command='SELECT pg_database_size(current_database()) / 1048576')
echo "Copying the data from PostgreSQL $OLD to $MAJOR: $size MiB at most." >&2
mkdir -p "$MAJOR"
# Nobody misses it if it breaks, so nothing waits for the disk before the end.
begin_cluster "$copy" "-c fsync=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0 -c autovacuum=off \
-c dynamic_shared_memory_type=mmap -c maintenance_work_mem=${MAINTENANCE_MIB}MB"
while sleep 30; do echo "Copying: $(du -sm "$copy/base" 2>/dev/null | cut -f 1) MiB of at most $size." >&2; done &
telling=$!
pg_dump --no-password --format=custom --compress=0 | pg_restore --host=/tmp --username=postgres --dbname="$DBNAME" \
    --no-owner --role="$ROLE" --no-privileges --single-transaction --exit-on-error
in_cluster --dbname="$DBNAME" --command="SET client_min_messages = 'error'" --command=ANALYZE
listing | in_old >/tmp/old
listing | in_cluster --dbname="$DBNAME" --tuples-only --no-align >/tmp/copy
cmp -s /tmp/old /tmp/copy || {
    echo "The copy is not what it was made from. In the one (<) and in the other (>):" >&2
    diff /tmp/old /tmp/copy | grep '^[<>]' | head -n 20 >&2
    exit 1
}
kill "$telling"
wait "$telling" 2>/dev/null || true
telling=
echo "Compared the rows of $(grep -c '^rows of ' /tmp/copy) tables. Everything has arrived, after $(($(date +%s) - began)) s." >&2
end_cluster "$copy"
printf '%s\n' "$MAJOR" >"$OLD/copied-to"
sync -f "$OLD/copied-to"
POSTGRES
)"

# From here on the server is not let in, until it is by the new one: what it wrote would be missing there.
# shellcheck disable=SC2016  # for the other shell
{
    as "$SERVER_USER" sh -euc 'printf "%s\n" "$OLD $MAJOR" >"$COPIED.new" && sync "$COPIED.new" && mv "$COPIED.new" "$COPIED"' &&
        as "$OWNER" mv "$MOUNT/$MAJOR/new" "$MOUNT/$MAJOR/docker"
} || {
    as "$SERVER_USER" rm -f "$COPIED" "$COPIED.new"
    as "$OWNER" rm -rf "$MOUNT/$MAJOR/new"
    exit 1
}
as "$OWNER" sync -f "$MOUNT/$MAJOR"
