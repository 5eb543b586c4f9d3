#!/bin/sh
# Sees to the renewal of the private CA's certificate: at each start, every hour, and when it gets SIGUSR1. Runs in a
# container without network, as root with CHOWN alone.
#   ISSUE   text of issue.sh, which reads the other variables
set -u

# The first process of a container ignores signals that it has not asked for.
trap 'exit 0' TERM INT
trap : USR1
while true; do
    if sh -euc "$ISSUE" >/dev/null; then
        touch /tmp/renewed
    else
        echo "The certificate in use stays. Trying again within an hour." >&2
    fi
    sleep 3600 &
    wait $! || kill $!
done
