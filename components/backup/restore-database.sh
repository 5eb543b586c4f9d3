#!/bin/sh
# Runs in a disposable container of the PostgreSQL image, as Synapse's user, when the files are restored and PostgreSQL
# accepts queries. Fills an empty database from the dump, once; cut short, it begins again. libpq's own variables say
# where the database is.

refuse() {
    printf 'Refused, and nothing was touched: %s\n' "$1" >&2
    exit 1
}

marker=/data/.restoring-database
# There is nothing to restore, or that is done.
[ -e "$marker" ] || exit 0

query() {
    psql --no-psqlrc --no-password --tuples-only --no-align --quiet --set ON_ERROR_STOP=1 --command "$1"
}

# As a restore that was cut short left it. Whatever is there is of that.
if [ -e "$marker-begun" ]; then
    echo "An earlier restore of the database was cut short: beginning again." >&2
    query 'DROP SCHEMA public CASCADE; CREATE SCHEMA public' 2>/dev/null
else
    tables=$(query "SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND relkind IN ('r', 'p', 'v', 'm', 'S')")
    [ "$tables" = 0 ] || refuse "the database $PGDATABASE on $PGHOST holds $tables tables and sequences already, and a \
restore fills an empty one."
    : >"$marker-begun"
fi
[ -e /staging/database.dump ] || refuse "the dump is gone from its volume. Remove the data volume, which holds nothing \
but what was restored, and run this again."
pg_restore --no-owner --no-privileges --role "$PGUSER" --exit-on-error --no-password --dbname "$PGDATABASE" \
    --jobs 2 /staging/database.dump
# Not of PostgreSQL's own tables, whose owner this is not.
query "SET client_min_messages = 'error'; ANALYZE"
mv "$marker" /data/.restored-database
rm -f "$marker-begun" /staging/database.dump
echo "Restored the database."
