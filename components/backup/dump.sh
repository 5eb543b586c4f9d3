#!/bin/sh
# The other side of receive.sh, in an image that can dump the database: waits for requests, and dumps into a pipe.
# Follows dump-postgres.sh or dump-sqlite.sh.
#   PATIENCE   seconds after which a request counts as abandoned when nobody waits for it any more
set -eu
umask 027
pipe=${PIPE:-/pipe}

age() {
    echo $(($(date +%s) - $(stat -c %Y "$1" 2>/dev/null || echo 0)))
}

# say ID STATUS: the last word on a request.
say() {
    echo "$2" >"$pipe/.done"
    mv "$pipe/.done" "$pipe/$1.done"
}

serve() {
    rm -rf "$pipe"/*.dump "$pipe"/*.done "$pipe"/*.said "$pipe"/copy*
    [ "$(age "$pipe/$1.awaited")" -lt "$PATIENCE" ] || return 0
    # Half of a dump may be at the other end already: another one must not follow it.
    if [ "$(cat "$pipe/begun" 2>/dev/null)" = "$1" ]; then
        echo "The dump was interrupted." >"$pipe/$1.said"
        say "$1" 1
        return 0
    fi
    echo "$1" >"$pipe/begun"
    mkfifo "$pipe/.pipe.$$"
    mv "$pipe/.pipe.$$" "$pipe/$1.dump"
    dump "$pipe/$1.dump" "$pipe/copy" 2>"$pipe/$1.said" &
    dumping=$!
    while kill -0 "$dumping" 2>/dev/null; do
        touch "$pipe/alive"
        if [ "$(age "$pipe/$1.awaited")" -ge "$PATIENCE" ]; then
            echo "Nobody waits any more for the dump $1: it is ended." >&2
            kill -9 "$dumping" 2>/dev/null || true
        fi
        sleep 0.5
    done
    status=0
    wait "$dumping" || status=$?
    dumping=
    cat "$pipe/$1.said" >&2
    rm -f "$pipe"/copy*
    say "$1" "$status"
    rm -f "$pipe/$1.dump"
    echo "Dumped the database for the backup $1: status $status." >&2
}

dumping=
stop() {
    [ -z "$dumping" ] || kill -9 "$dumping" 2>/dev/null || true
    exit 0
}
trap stop TERM INT
rm -f "$pipe"/.pipe.*
served=
while true; do
    touch "$pipe/alive"
    request=$(cat "$pipe/request" 2>/dev/null || true)
    if [ "$request" != "$served" ]; then
        served=$request
        serve "$request"
    fi
    sleep 0.5 &
    wait "$!" || true
done
