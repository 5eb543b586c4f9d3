#!/bin/sh
# restic runs this, and keeps what it prints if it ends with 0: the database, from the container that can dump it.
#   RUN_ID     name of this backup
#   PATIENCE   seconds that the other side may be silent
#   STALL      seconds that it may take to send something
set -eu
pipe=${PIPE:-/pipe}
parent=$PPID

fail() {
    echo "The database was not dumped: $1" >&2
    [ ! -s "$pipe/$RUN_ID.said" ] || cat "$pipe/$RUN_ID.said" >&2
    exit 1
}

# Seconds since something last happened to a file.
age() {
    echo $(($(date +%s) - $(stat -c %Y "$1" 2>/dev/null || echo 0)))
}

# That somebody still waits for it. Whoever ends restic ends this as well: nobody would.
stay() {
    kill -0 "$parent" 2>/dev/null || fail "restic is gone"
    touch "$pipe/$RUN_ID.awaited"
}

reading=
trap '[ -z "$reading" ] || kill "$reading" 2>/dev/null; rm -f "$pipe/$RUN_ID.awaited"' EXIT
trap 'exit 143' TERM INT
rm -f "$pipe"/*.awaited
stay
printf '%s\n' "$RUN_ID" >"$pipe/.request"
mv "$pipe/.request" "$pipe/request"

asked=$(date +%s)
until [ -p "$pipe/$RUN_ID.dump" ]; do
    stay
    [ ! -e "$pipe/$RUN_ID.done" ] || fail "the container that dumps it gave up."
    [ $(($(date +%s) - asked)) -lt "$PATIENCE" ] || fail "the container that dumps it did not answer for $PATIENCE s."
    sleep 0.5
done

cat "$pipe/$RUN_ID.dump" &
reading=$!
read_before=
progress=$(date +%s)
while kill -0 "$reading" 2>/dev/null; do
    stay
    # While the dump is prepared, the pipe has nobody at its other end, and cat waits to open it.
    [ "$(age "$pipe/alive")" -lt "$PATIENCE" ] || fail "the container that dumps it fell silent."
    [ ! -e "$pipe/$RUN_ID.done" ] || [ -e "$pipe/$RUN_ID.dump" ] || [ -n "${last_look:-}" ] || {
        # It may have ended without ever opening its end.
        last_look=yes
        sleep 1
        grep -qx 0 "$pipe/$RUN_ID.done" || fail "its dump ended with status $(cat "$pipe/$RUN_ID.done")."
    }
    read_now=$(sed -n 's/^rchar: //p' "/proc/$reading/io" 2>/dev/null || true)
    if [ "$read_now" != "$read_before" ]; then
        read_before=$read_now
        progress=$(date +%s)
    fi
    [ $(($(date +%s) - progress)) -lt "$STALL" ] || fail "nothing came for $STALL s."
    sleep 0.5
done
wait "$reading" || fail "restic or the pipe broke."
reading=

# A dump that was cut short ends as a whole one does: only this word tells them apart.
ended=$(date +%s)
until [ -e "$pipe/$RUN_ID.done" ]; do
    stay
    [ $(($(date +%s) - ended)) -lt "$PATIENCE" ] || fail "the container that dumps it did not say that it is whole."
    sleep 0.5
done
status=$(cat "$pipe/$RUN_ID.done")
[ "$status" = 0 ] || fail "its dump ended with status $status."
