#!/bin/sh
# Runs in a disposable container of the PostgreSQL image, as root with CHOWN, SETUID and SETGID alone, without a network.
# Makes the database and its owner's password, once. Data that is there is left alone: a server may be running on it.
#   MOUNT         where the data volume is
#   MAJOR         PostgreSQL's major version
#   OWNER         uid:gid of PostgreSQL's user
#   READERS       name=uid:gid of each password file, one a line
#   DBNAME, ROLE  the database, and the role that owns it

# shellcheck disable=SC2153  # from the environment
as_postgres() {
    setpriv --reuid "${OWNER%:*}" --regid "${OWNER#*:}" --clear-groups --inh-caps=-all "$@"
}

[ "$(stat -c %u:%g "$MOUNT")" = "$OWNER" ] || chown "$OWNER" "$MOUNT"

# What PostgreSQL's user does. Standard output is the password, for the files of those who connect.
password=$(as_postgres /bin/bash -euc "$(
    cat <<'POSTGRES'
set -o pipefail
cd "$MOUNT"
umask 077
exec 9>>.lock
# Two deployments at once make one database.
flock -w 300 9 || {
    echo "Another run has held the lock for five minutes; see: docker ps" >&2
    exit 1
}

refuse() {
    printf 'Refused, and nothing was touched: %s\n' "$1" >&2
    exit 1
}

[ "$(postgres -V | sed 's/.* \([0-9]*\)[.a-z].*/\1/')" = "$MAJOR" ] || refuse "the image of PostgreSQL has $(postgres -V), \
and synapse:database.version is $MAJOR. Set synapse:images.postgres to one of that major, or leave it out."
for other in */docker/PG_VERSION; do
    [ ! -e "$other" ] || [ "${other%%/*}" = "$MAJOR" ] || refuse "the volume holds data of PostgreSQL ${other%%/*}, and \
synapse:database.version is $MAJOR. Set it back to ${other%%/*}."
done

if [ ! -s password ]; then
    # Letters and digits, which stand for themselves wherever it is written.
    head -c 48 /dev/urandom | base64 -w0 | tr -dc 'A-Za-z0-9' >.password
    sync .password
    mv .password password
fi

if [ ! -e "$MAJOR/docker/PG_VERSION" ]; then
    # Whole, or not there: what an interrupted run left would look like a database, and lack ours.
    new="$PWD/$MAJOR/new"
    rm -rf "$new"
    mkdir -p "$MAJOR"
    # Synapse demands this locale and encoding; with C an image on a newer base sorts as the old one did.
    initdb --pgdata="$new" --username=postgres --encoding=UTF8 --locale=C --auth=peer --data-checksums \
        >/tmp/initdb.log 2>&1 || {
        cat /tmp/initdb.log >&2
        exit 1
    }
    # A server for this script alone, on a socket that nobody else has.
    pg_ctl --pgdata="$new" --wait --log=/tmp/postgres.log --options="-c listen_addresses= -c unix_socket_directories=/tmp \
        -c shared_buffers=16MB" start >/tmp/start.log || {
        cat /tmp/start.log /tmp/postgres.log >&2
        exit 1
    }
    # Over its input, so that the password is no argument.
    {
        printf "CREATE ROLE \"%s\" LOGIN PASSWORD '%s';\n" "$ROLE" "$(cat password)"
        printf 'CREATE DATABASE "%s" OWNER "%s" TEMPLATE template0 ENCODING UTF8 LOCALE "C";\n' "$DBNAME" "$ROLE"
    } | psql --host=/tmp --username=postgres --no-psqlrc --quiet --set=ON_ERROR_STOP=1 >&2
    pg_ctl --pgdata="$new" --wait --mode=fast stop >/dev/null
    sync -f "$new"
    mv "$new" "$MAJOR/docker"
    sync -f "$MAJOR"
fi
cat password
POSTGRES
)")

printf '%s\n' "$READERS" | while IFS='=' read -r reader owner; do
    file="/database/$reader.pgpass"
    # Root may change no file that is another's: it makes one, and gives it away.
    rm -f "$file.new"
    (
        umask 077
        printf '*:*:%s:%s:%s\n' "$DBNAME" "$ROLE" "$password" >"$file.new"
    )
    chmod 0400 "$file.new"
    chown "$owner" "$file.new"
    mv "$file.new" "$file"
done
