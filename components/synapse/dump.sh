#!/bin/sh
# Runs in a disposable container before another Synapse image runs on the database, as root with CHOWN, SETUID and
# SETGID alone: in the image of PostgreSQL, whose pg_dump it uses, or where the data is in SQLite in Synapse's.
# Prints the dump's name when there is one of the database as it is now.
# Before it stands dump-postgres.sh or dump-sqlite.sh, which has the functions
# `dump_to` and `schema_version`.
#   OWNER      uid:gid of those who dump
#   DATABASE   where the data is: sqlite or postgres
#   COMPILED   what the server records of the image once it was healthy with it
#   REFERENCE  the image as the settings name it
#   KEPT       how many dumps to keep

if [ "$(id -u)" = 0 ]; then
    [ "$(stat -c %u:%g /dumps)" = "$OWNER" ] || chown "$OWNER" /dumps
    exec setpriv --reuid "${OWNER%:*}" --regid "${OWNER#*:}" --clear-groups --inh-caps=-all \
        /bin/sh -euc "$TASK_SCRIPT"
fi

umask 077
exec 9>>/dumps/.lock
flock -w 300 9 || {
    echo "Another run has held the lock for five minutes; see: docker ps" >&2
    exit 1
}
# How the image is called that a later run may go back to.
mkdir -p /dumps/.images
printf '%s\n' "$REFERENCE" >"/dumps/.images/${COMPILED##*/}"

# Empty, no server was ever healthy here.
healthy=$(cat /data/.compiled 2>/dev/null) || exit 0
[ "$healthy" != "$COMPILED" ] || exit 0
# What a move to PostgreSQL is about to take away is kept by that itself.
[ "$DATABASE" = sqlite ] || [ -e /data/.database ] || exit 0

version=$(cat /data/.synapse-version 2>/dev/null) || version=unknown
image=$(cat "/dumps/.images/${healthy##*/}" 2>/dev/null) || image=
name="$(date -u +%Y-%m-%dT%H%M%SZ)-synapse-$version"
schema=$(schema_version)
# Upgraded since by a Synapse that was never healthy, it is of no use to the one before: the dump is that leads back.
for dump in /dumps/2*; do
    if [ "$(cat "$dump/from" 2>/dev/null)" = "$healthy" ] && [ "$(cat "$dump/schema")" -lt "$schema" ]; then
        echo "The dump ${dump##*/} from before the last upgrade is kept: npm run rollback." >&2
        echo "${dump##*/}"
        exit
    fi
done
echo "Dumping the database of Synapse $version, before another image runs on it." >&2
rm -rf /dumps/.new
mkdir /dumps/.new
dump_to /dumps/.new/database
printf '%s\n' "$image" >/dumps/.new/image
printf '%s\n' "$DATABASE" >/dumps/.new/kind
printf '%s\n' "$healthy" >/dumps/.new/from
printf '%s\n' "$schema" >/dumps/.new/schema
sync
# Whole, or not there.
mv /dumps/.new "/dumps/$name"
echo "Dumped it to $name on the volume of dumps. Should the upgrade fail: npm run rollback." >&2
printf '%s\n' "$name"

# Names begin with the time, so the oldest are first.
set -- /dumps/2*
while [ $# -gt "$KEPT" ]; do
    rm -rf "$1"
    shift
done
