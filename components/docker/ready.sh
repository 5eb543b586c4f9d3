#!/bin/sh
# Runs beside Pulumi: waits until a container is healthy, and tells what it sees meanwhile.
#   CONTAINER   id of the container
#   NAME        its name
#   HEALTH      its health check's command, one word a line
#   ADVICE      what to do when it fails; may be empty
#   PATIENCE    seconds that it may take; a server that upgrades its database may take longer
set -eu

# Fails when there is no such container, and says nothing when Docker cannot be asked right now.
state() {
    inspect 2>/dev/null && return
    case $(inspect 2>&1) in *[Nn]"o such container"*) return 1 ;; esac
}

inspect() {
    docker container inspect --format \
        '{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}} {{.State.StartedAt}} {{with .State.Health}}{{.Status}}{{end}}' "$CONTAINER"
}

# Docker itself looks only every few seconds.
works() {
    (
        set -f
        IFS='
'
        # shellcheck disable=SC2086,SC2153  # words, on purpose; from the environment
        docker exec "$CONTAINER" $HEALTH >/dev/null 2>&1
    )
}

# Synapse's last word on its database, unless that is that it is done.
upgrading() {
    docker logs --since "$started" "$CONTAINER" 2>&1 | sed -n 's/.* - synapse\.storage\.prepare_database - .* - //p' |
        tail -n 1 | grep -v '^Schema now up to date'
}

fail() {
    {
        echo "$NAME $1. It wrote last:"
        docker logs --tail 40 "$CONTAINER" 2>&1 || true
        echo "See: docker logs $NAME"
        [ -z "$ADVICE" ] || echo "$ADVICE"
    } >&2
    exit 1
}

restarts=
begun=$(date +%s)
deadline=$((begun + PATIENCE))
told=$begun
while true; do
    now=$(date +%s)
    words=$(state) || {
        echo "$NAME is gone: somebody has removed it while it was starting." >&2
        exit 1
    }
    if [ -z "$words" ]; then
        [ "$now" -lt "$deadline" ] || fail "could not be looked at"
        sleep 1
        continue
    fi
    # shellcheck disable=SC2086  # words, on purpose
    set -- $words
    status=$1 code=$3 started=$4 health=${5:-}
    [ "$health" != healthy ] || exit 0
    case $status in
        exited | dead) fail "exited with code $code" ;;
        restarting) fail "keeps exiting with code $code" ;;
    esac
    [ "$2" = "${restarts:=$2}" ] || fail "exited while it was starting, and was started again"
    if [ "$now" -ge "$deadline" ] || [ $((now - told)) -ge 30 ]; then
        told=$now
        if step=$(upgrading); then
            echo "$NAME upgrades its database ($((now - begun)) s): $step" >&2
            deadline=$((now + PATIENCE))
        elif [ "$now" -ge "$deadline" ]; then
            fail "was not healthy after $((now - begun)) s"
        fi
    fi
    if [ "$status" = running ] && works; then exit 0; fi
    # What takes this long is not late by two seconds, and each look costs Docker something.
    if [ $((now - begun)) -lt 60 ]; then sleep 0.5; else sleep 2; fi
done
