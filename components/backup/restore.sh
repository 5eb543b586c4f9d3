#!/bin/sh
# Runs in a disposable container of restic's image, as Synapse's user, after restic.sh, before the server's identity is
# made. Fills an empty data volume from a backup, once; cut short, it goes on where it was. Prints the backup's name.
#   SNAPSHOT      name of the backup, or `latest`
#   SERVER_NAME   whose it is to be
#   HOST          the stack's prefix: its own backups go before those of others
#   KIND          database of the settings, sqlite or postgres
#   PLACE         the repository, as the settings name it

refuse() {
    printf 'Refused, and nothing was touched: %s\n' "$1" >&2
    exit 1
}

failed() {
    {
        echo "The restore $1; run this again, and it goes on. restic said:"
        tail -n 20 /tmp/said | hide | sed 's/^/  /'
    } >&2
    exit 1
}

exec 9>>/data/.restore.lock
flock -n 9 || refuse "another restore into this data volume is under way; see: docker ps"
if [ -e /data/.restored ]; then
    restored=$(cat /data/.restored)
    case $SNAPSHOT in
        latest | "$restored")
            echo "$restored"
            exit
            ;;
    esac
    refuse "this server was restored from the backup $restored, and has gone on since. To have it as of $SNAPSHOT, \
restore into a stack of another name (synapse:name), or remove its volumes first."
fi
begun=$(cat /data/.restoring 2>/dev/null || true)
if [ -z "$begun" ]; then
    for there in /data/*.signing.key /data/homeserver.db /data/homeserver.yaml /data/.synapse-version /data/media_store; do
        [ ! -e "$there" ] || refuse "the data volume holds a server's data already (${there##*/}), and a restore fills an \
empty one. Remove synapse:restore to go on with the server that is there; or give the restored one a volume of its own \
(synapse:name)."
    done
fi

run_restic snapshots --no-lock --json --tag "server:$SERVER_NAME" >/tmp/snapshots 2>/tmp/said ||
    failed "cannot read the repository $PLACE"
runs </tmp/snapshots | awk '$3 != "-" && $5 != "-"' >/tmp/good
[ -s /tmp/good ] || refuse "the repository $PLACE holds no whole backup of $SERVER_NAME."

listed() {
    echo "The newest are:"
    tail -n 5 /tmp/good | awk '{ print "  " $1 "  made by " $2 }'
}

newest() {
    if [ -n "$begun" ] && grep -q "^$begun " /tmp/good; then
        echo "$begun"
    elif awk -v host="$HOST" '$2 == host' /tmp/good | grep -q .; then
        awk -v host="$HOST" '$2 == host { last = $1 } END { print last }' /tmp/good
    elif [ "$(cut -d ' ' -f 2 /tmp/good | sort -u | wc -l)" -eq 1 ]; then
        tail -n 1 /tmp/good | cut -d ' ' -f 1
    fi
}

run=$SNAPSHOT
if [ "$SNAPSHOT" = latest ]; then
    run=$(newest)
    [ -n "$run" ] || refuse "several stacks have made backups of $SERVER_NAME: say which one is meant (synapse:restore). $(listed)"
fi
line=$(grep "^$run " /tmp/good || true)
[ -n "$line" ] || refuse "the repository $PLACE has no whole backup $run of $SERVER_NAME. $(listed)"
# shellcheck disable=SC2086  # words, on purpose
set -- $line
database=$3 file=$4 files=$5
case "$KIND $file" in
    "sqlite /database.dump") refuse "the backup $run holds a PostgreSQL database: set synapse:database.kind to postgres." ;;
esac

if [ -n "$begun" ] && [ "$begun" != "$run" ]; then
    # Of another backup, and of nobody else.
    find /data -mindepth 1 -maxdepth 1 ! -name .restoring ! -name .restore.lock -exec rm -rf {} +
fi
echo "$run" >/data/.restoring.new
mv /data/.restoring.new /data/.restoring

echo "Restoring the backup $run of $SERVER_NAME: its files." >&2
RESTIC_PROGRESS_FPS=0.1 run_restic restore --no-lock "$files:/data" --target /data 2>/tmp/said >&2 ||
    failed "failed at the files"
echo "Restoring its database." >&2
case $file in
    /database.dump)
        run_restic dump --no-lock "$database" "$file" >/staging/database.dump.new 2>/tmp/said ||
            failed "failed at the database"
        mv /staging/database.dump.new /staging/database.dump
        echo "$run" >/data/.restoring-database
        ;;
    *)
        run_restic dump --no-lock "$database" "$file" >/data/.restoring.db 2>/tmp/said ||
            failed "failed at the database"
        mv /data/.restoring.db /data/homeserver.db
        ;;
esac
sync
mv /data/.restoring /data/.restored
echo "$run"
