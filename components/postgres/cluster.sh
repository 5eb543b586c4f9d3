#!/bin/sh
# What the scripts that write to PostgreSQL's data volume share, in its image.
#   MOUNT         where the data volume is; the file `password` on it is the role's
#   DBNAME, ROLE  the database, and the role that owns it

# as UID:GID COMMAND…: root, which may not write what is another's, becomes that user. All below is for PostgreSQL's.
as() {
    user=$1
    shift
    setpriv --reuid "${user%:*}" --regid "${user#*:}" --clear-groups --inh-caps=-all "$@"
}

in_cluster() {
    psql --host=/tmp --username=postgres --no-psqlrc --quiet --set=ON_ERROR_STOP=1 "$@"
}

# begin_cluster DIRECTORY OPTIONS: makes one there, with the server's role and its empty database, and a server on it
# for this script alone, on a socket that nobody else has.
begin_cluster() {
    new=$1
    # Whole, or not there: what an interrupted run left would look like a database, and lack ours.
    rm -rf "$new"
    # Synapse demands this locale and encoding; with C an image on a newer base sorts as the old one did.
    initdb --pgdata="$new" --username=postgres --encoding=UTF8 --locale=C --auth=peer --data-checksums \
        >/tmp/initdb.log 2>&1 || {
        cat /tmp/initdb.log >&2
        return 1
    }
    pg_ctl --pgdata="$new" --wait --log=/tmp/postgres.log \
        --options="-c listen_addresses= -c unix_socket_directories=/tmp $2" start >/tmp/start.log || {
        cat /tmp/start.log /tmp/postgres.log >&2
        return 1
    }
    # Over its input, so that the password is no argument.
    {
        printf "CREATE ROLE \"%s\" LOGIN PASSWORD '%s';\n" "$ROLE" "$(cat "$MOUNT/password")"
        printf 'CREATE DATABASE "%s" OWNER "%s" TEMPLATE template0 ENCODING UTF8 LOCALE "C";\n' "$DBNAME" "$ROLE"
    } | in_cluster --dbname=postgres >&2
}

# end_cluster DIRECTORY: everything of it is on the disk afterwards.
end_cluster() {
    pg_ctl --pgdata="$1" --wait --mode=fast stop >/dev/null
    sync -f "$1"
}
