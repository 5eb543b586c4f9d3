#!/bin/sh
# Makes backups at their times, for as long as its container runs. Follows schedule.sh.
#   EVERY, AT        when
#   REPOSITORY_ID    the repository's own id: the state of another one says nothing of it
set -eu
umask 022
state=/state
if [ "$(cat "$state/repository" 2>/dev/null)" != "$REPOSITORY_ID" ]; then
    rm -f "$state/last" "$state/last.json" "$state/metrics.prom" "$state/begun" "$state/checked" "$state/damaged" \
        "$state/error"
    printf %s "$REPOSITORY_ID" >"$state/repository"
fi
[ -e "$state/begun" ] || date +%s >"$state/begun"

working=
stop() {
    if [ -n "$working" ]; then
        # restic takes its lock away.
        pkill -TERM restic || true
        kill -TERM "$working" 2>/dev/null || true
        wait "$working" || true
    fi
    exit 0
}
trap stop TERM INT

failures=0
next=0
while true; do
    now=$(date +%s)
    if [ "$now" -ge "$next" ] && is_due "$now" "$(cat "$state/last" 2>/dev/null || echo 0)"; then
        sh /scripts/run.sh &
        working=$!
        status=0
        wait "$working" || status=$?
        working=
        case $status in
            0) failures=0 ;;
            # One that somebody started by hand is under way.
            75) next=$((now + 60)) ;;
            *)
                failures=$((failures + 1))
                pause=$(pause_after "$failures")
                next=$(($(date +%s) + pause))
                echo "The next attempt is in $pause s." >&2
                ;;
        esac
    fi
    sleep 20 &
    wait "$!" || true
done
