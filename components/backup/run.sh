#!/bin/sh
# One backup: the database, then the files, then what is kept. Follows restic.sh. Its exit code is 0 when there is a
# good backup and all is well, 75 while another one is under way.
#   HOST          the stack's prefix
#   SERVER_NAME   whose backups these are
#   DUMP_NAME     name of the database's file in the backup
#   KEEP          options of `restic forget`
set -eu
state=/state
work=$state/work

exec 9>>"$state/.lock"
flock -n 9 || {
    echo "Another backup is under way." >&2
    exit 75
}
started=$(date +%s)
time=$(date -u -d "@$started" '+%Y-%m-%d %H:%M:%S')
RUN_ID=$(date -u -d "@$started" +%Y%m%dT%H%M%SZ)-$(od -An -N3 -tx1 /dev/urandom | tr -d ' \n')
export RUN_ID TMPDIR="$work" RESTIC_PROGRESS_FPS=0.1
rm -rf "$work"
mkdir -p "$work"

say() {
    echo "$(date -u +%H:%M:%S) $1" >&2
}

# For people who look later, too.
fail() {
    {
        echo "The backup $RUN_ID of $(date -u -d "@$started" '+%Y-%m-%d %H:%M') UTC $1. restic said:"
        tail -n 20 "$work/said" | hide | jq -Rr '. as $line | try (fromjson | .message // .error.message // $line) catch $line' |
            sed 's/^/  /'
    } >"$state/error.new"
    mv "$state/error.new" "$state/error"
    cat "$state/error" >&2
    exit 1
}

# Of a restic that died, and of nobody else: it knows its own by the container's name and by its process's number.
# That number may be anybody's by now, and the next look has another one itself.
unlock() {
    for _ in 1 2 3; do
        run_restic unlock --quiet 2>"$work/said" || fail "could not reach the repository"
        [ -n "$(run_restic list locks --no-lock --quiet 2>/dev/null)" ] || return 0
    done
}

# backup PART OPTION…: one snapshot, with what restic says of it in $work/PART.
backup() {
    part=$1
    shift
    (
        while sleep 10; do
            tail -n 1 "$work/$part" 2>/dev/null | jq -r --arg part "$part" '
                select(.message_type == "status")
                | "         \($part): \(.bytes_done // 0) bytes, \(.seconds_elapsed // 0) s"' 2>/dev/null >&2 || true
        done
    ) 9>&- &
    telling=$!
    status=0
    run_restic backup --json --retry-lock 10m --host "$HOST" --time "$time" \
        --tag "run:$RUN_ID,server:$SERVER_NAME,part:$part" "$@" >"$work/$part" 2>"$work/said" || status=$?
    kill "$telling" 2>/dev/null || true
    return "$status"
}

summary() {
    jq -s "map(select(.message_type == \"summary\")) | last | $2" "$work/$1"
}

# Media come and go while they are read. What cannot be read at all cannot be at the third time either.
backup_files() {
    for _ in 1 2 3; do
        status=0
        backup files /data \
            --exclude "/data/homeserver.db*" --exclude /data/.generate.lock --exclude "/data/.restor*" \
            --exclude "/data/media_store/remote_content" --exclude "/data/media_store/remote_thumbnail*" \
            --exclude "/data/media_store/url_cache*" --exclude /data/homeserver.pid --exclude /data/.compiled || status=$?
        [ "$status" = 3 ] || return "$status"
        run_restic forget --quiet "$(summary files -r)" 2>/dev/null || return 3
    done
    return 3
}

# Runs that have only one half are no backups, and what their other half would be is not known.
tidy() {
    # shellcheck disable=SC2086  # words, on purpose
    run_restic forget --quiet --retry-lock 10m --host "$HOST" --tag "server:$SERVER_NAME,part:files" --group-by host $KEEP &&
        run_restic snapshots --no-lock --json --host "$HOST" --tag "server:$SERVER_NAME" >"$work/snapshots" || return 1
    runs <"$work/snapshots" | while read -r _ _ database _ files; do
        case "$database $files" in
            "- "*) echo "$files" ;;
            *" -") echo "$database" ;;
        esac
    done >"$work/halves"
    # shellcheck disable=SC2046  # words, on purpose
    [ ! -s "$work/halves" ] || run_restic forget --quiet --retry-lock 10m $(cat "$work/halves") || return 1
    run_restic prune --quiet --retry-lock 10m
}

say "The backup $RUN_ID begins."
unlock
backup database --stdin-filename "$DUMP_NAME" --stdin-from-command -- sh /scripts/receive.sh ||
    fail "failed at the database"
say "The database is there: $(summary database .total_bytes_processed) bytes, $(summary database .data_added_packed) of them new and sent."
backup_files || fail "failed at the files"
say "The files are there: $(summary files .total_bytes_processed) bytes, $(summary files .data_added_packed) of them new and sent."

seconds=$(($(date +%s) - started))
umask 022
jq -n --arg time "$(date -u -d "@$started" +%Y-%m-%dT%H:%M:%SZ)" --arg run "$RUN_ID" --argjson seconds "$seconds" \
    --argjson every "$EVERY" --argjson database "$(summary database .)" --argjson files "$(summary files .)" '{
        time: $time, run: $run, seconds: $seconds, every: $every,
        bytes: ($database.total_bytes_processed + $files.total_bytes_processed),
        added: ($database.data_added_packed + $files.data_added_packed),
        database: $database.snapshot_id, files: $files.snapshot_id
    }' >"$state/last.json.new"
mv "$state/last.json.new" "$state/last.json"
cat >"$state/metrics.prom.new" <<METRICS
# HELP synapse_backup_last_success_timestamp_seconds When the last good backup began.
# TYPE synapse_backup_last_success_timestamp_seconds gauge
synapse_backup_last_success_timestamp_seconds{stack="$HOST"} $started
# HELP synapse_backup_duration_seconds How long it took.
# TYPE synapse_backup_duration_seconds gauge
synapse_backup_duration_seconds{stack="$HOST"} $seconds
# HELP synapse_backup_size_bytes What it holds, before it is made smaller.
# TYPE synapse_backup_size_bytes gauge
synapse_backup_size_bytes{stack="$HOST"} $(jq .bytes "$state/last.json")
METRICS
mv "$state/metrics.prom.new" "$state/metrics.prom"
echo "$started" >"$state/last.new"
mv "$state/last.new" "$state/last"
umask 077

tidy 2>"$work/said" || fail "was made, but older ones could not be removed"
checked=$(cat "$state/checked" 2>/dev/null || echo 0)
if [ $((started - checked)) -ge 604800 ] || [ -e "$state/damaged" ]; then
    say "The repository is checked, as each week."
    run_restic check --quiet --retry-lock 10m >"$work/said" 2>&1 || {
        echo "The last check of the repository failed." >"$state/damaged"
        fail "was made, but the check of the repository failed"
    }
    rm -f "$state/damaged"
    echo "$started" >"$state/checked"
fi
rm -rf "$work" "$state/error"
say "The backup $RUN_ID is made, in $(($(date +%s) - started)) s."
