#!/bin/sh
# Runs in a disposable container of the Synapse image, as root with CHOWN alone. Keeps its standard input, a line of
# libpq's password file, as one file for each of those who connect, and the CA of the database's certificate beside
# them; once the database has let it in with both, since a server may be running with what is there.
#   READERS   name=uid:gid of each password file, one a line
#   CA        path of the CA; empty without one
#   PGHOST …  libpq's own

umask 077
cat >/tmp/pgpass
[ -z "$CA" ] || {
    [ -s "$CA" ] || {
        echo "Refused, and nothing was touched: synapse:database.ca is an empty file on the Docker host." >&2
        exit 1
    }
    cat "$CA" >/tmp/ca.pem
    export PGSSLROOTCERT=/tmp/ca.pem
}
PGPASSFILE=/tmp/pgpass python3 -c '
import os, psycopg2, sys
try:
    psycopg2.connect("", connect_timeout=20).close()
except psycopg2.OperationalError as error:
    place = "{PGDATABASE} at {PGHOST}:{PGPORT}".format_map(os.environ)
    sys.exit(f"Refused, and nothing was touched: the database {place} does not let the server in: {str(error).strip()}")
'

printf '%s\n' "$READERS" | while IFS='=' read -r reader owner; do
    file="/database/$reader.pgpass"
    # Root may change no file that is another's: it makes one, and gives it away.
    rm -f "$file.new"
    cat /tmp/pgpass >"$file.new"
    chmod 0400 "$file.new"
    chown "$owner" "$file.new"
    mv "$file.new" "$file"
done
if [ -z "$CA" ]; then
    rm -f /database/ca.pem
else
    cat /tmp/ca.pem >/database/ca.pem.new
    chmod 0444 /database/ca.pem.new
    mv /database/ca.pem.new /database/ca.pem
fi
