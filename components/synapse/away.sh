#!/bin/sh
# Runs beside Pulumi, before the data is moved: the server that writes to SQLite is stopped, and nginx told why.
#   CHECKED       what the check of the database said: `migrate`, or `ready` when there is nothing to move
#   SERVER        name of the server's container
#   MAINTENANCE   file that tells nginx, in the server's container; empty without nginx

[ "$CHECKED" = migrate ] || exit 0
if docker container inspect "$SERVER" >/dev/null 2>&1; then
    # A failure leaves the data where it was, and so the server; what was interrupted goes on with the next run.
    trap '[ "$?" = 0 ] || docker start "$SERVER" >/dev/null' EXIT
    [ -z "$MAINTENANCE" ] || docker exec "$SERVER" touch "$MAINTENANCE" 2>/dev/null || true
    echo "Stopping $SERVER to move its data to PostgreSQL." >&2
    docker stop -t 60 "$SERVER" >/dev/null
fi
