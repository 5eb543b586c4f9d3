#!/bin/sh
# Tries to renew the certificate twice a day, at moments that differ from one server to the next.

work=
# The first process of a container ignores signals that it has not asked for.
trap 'kill "$work" 2>/dev/null; wait "$work"; exit 0' TERM INT

pause=0
while true; do
    sleep $((pause + $(shuf -i 0-3600 -n 1))) &
    work=$!
    wait "$work"
    sh /scripts/obtain.sh &
    work=$!
    wait "$work" || echo "Trying again within 13 hours." >&2
    pause=41400
done
