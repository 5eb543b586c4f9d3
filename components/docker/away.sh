#!/bin/sh
# Runs beside Pulumi, before data is moved or copied: the server that writes it is stopped, and nginx told why.
#   SERVER        name of the server's container
#   PURPOSE       what it is stopped for, in words that follow "Stopping it"
#   MAINTENANCE   file that tells nginx, in the server's container; empty without nginx
#   POSTGRES      name of PostgreSQL's container; there is none where somebody else runs it

began=$(date +%s)

# A failure leaves the data where it was, and so the server; what was interrupted goes on with the next run.
ended() {
    [ "$1" != 0 ] || return 0
    # Whoever was connected says at most that the connection is lost. Without details, which are rows, and hints, which alarm.
    docker logs --since "$began" "$POSTGRES" 2>&1 | grep -E ' (ERROR|FATAL|PANIC): ' | tail -n 5 | sed 's/^/PostgreSQL: /' >&2
    ! docker container inspect "$SERVER" >/dev/null 2>&1 || docker start "$SERVER" >/dev/null
}
trap 'ended "$?"' EXIT
if docker container inspect "$SERVER" >/dev/null 2>&1; then
    [ -z "$MAINTENANCE" ] || docker exec "$SERVER" touch "$MAINTENANCE" 2>/dev/null || true
    echo "Stopping $SERVER $PURPOSE." >&2
    docker stop -t 60 "$SERVER" >/dev/null
fi
