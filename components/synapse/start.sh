#!/bin/sh
# Starts Synapse and stays its parent, at every start of its container.
#   SIGNING_KEY    path of the server's signing key
#   KEY_ROTATION   how often the key has been replaced
#   CERTIFICATE    path of its TLS certificate; empty when it speaks plain HTTP
#   HTTP_PORT      port of its plain HTTP listener
#   ANNOUNCE       file that tells nginx of a restart; empty without nginx
#   METRICS_PORT   port of its metrics listener; with ANNOUNCE alone
#   SECRET_CONFIG  path of the layer of its configuration that nobody may see; empty without one
#   DATABASE       where its data is: sqlite or postgres
#   MOVING         file that is there while its data is moved from the one to the other
#   MOVING_LOCK    file whose lock whoever moves or copies the data holds, and a server shares
#   COPIED         file that is there when its data was copied to another major of PostgreSQL, until it is let in there
#   SETTLING       file that is there from then on until it was healthy
# shellcheck disable=SC2317  # what a trap runs is reachable
set -eu

# Synapse would make a new key without a word, and be another server from then on.
if [ ! -s "$SIGNING_KEY" ]; then
    echo "The signing key $SIGNING_KEY is missing: refusing to start. Restore it from a backup." >&2
    exit 1
fi

for unfinished in /data/.restoring /data/.restoring-database; do
    if [ -e "$unfinished" ]; then
        echo "A restore of the backup $(cat "$unfinished") was cut short: refusing to start. Set synapse:restore again." >&2
        exit 1
    fi
done

# A stopped container of before, started by hand, would make an empty database and answer from that.
if [ "$DATABASE" = sqlite ]; then
    if [ -e /data/.database ]; then
        echo "The data of this server is in PostgreSQL, and this container would use SQLite: refusing to start. Run the deployment." >&2
        exit 1
    fi
fi
# Until it ends. What is moved or copied without it would lack what this server writes.
exec 9>>"$MOVING_LOCK"
if ! flock -s -n 9; then
    until="Wait for that container to end (docker ps), then run the deployment."
    if [ "$DATABASE" = sqlite ]; then
        echo "The data of this server is being moved to PostgreSQL: refusing to start. $until" >&2
    else
        echo "The data of this server is being copied to another major of PostgreSQL: refusing to start. $until" >&2
    fi
    exit 1
fi
if [ "$DATABASE" = sqlite ]; then
    # What has been moved so far is not what will be there when this server stops.
    rm -f "$MOVING"
elif [ -e "$COPIED" ]; then
    echo "The data of this server was copied to another major of PostgreSQL, which is not deployed yet: refusing to start. Run the deployment. (If the data is elsewhere by now, remove $COPIED.)" >&2
    exit 1
fi

# Before Synapse: what the old key has signed must be from before it became one.
[ ! -e "$SIGNING_KEY.next" ] || python3 /config/switch-key.py
old_keys=/data/old_signing_keys.yaml
[ -e "$old_keys" ] || old_keys=

healthy() {
    curl -fsS --max-time 2 -o /dev/null "http://127.0.0.1:$HTTP_PORT/health" 2>/dev/null
}

# Whether Synapse works on anything that would fail if it stopped now. Long polls do not count: they last half a
# minute, and whoever waits in one is answered by the next Synapse as well.
is_at_work() {
    metrics=$(curl -fsS --max-time 1 "http://127.0.0.1:$METRICS_PORT/metrics" 2>/dev/null) || return 0
    printf '%s\n' "$metrics" | awk '
        /^# HELP synapse_http_server_in_flight_requests_count / { known = 1 }
        /^synapse_http_server_in_flight_requests_count\{/ &&
            !/servlet="[A-Za-z]*(Sync|EventStream)[A-Za-z]*"/ { requests += $NF }
        END { exit known && requests == 0 }'
}

# From here on nginx keeps back what is new. What is under way gets up to five seconds.
announce() {
    if ! (: >"$ANNOUNCE"); then
        echo "This restart cannot be announced: requests that are under way may fail." >&2
        return
    fi
    last=$(($(date +%s%3N) + 5000))
    # Once this is answered, Synapse has read whatever nginx sent before, and counts it. One that refuses (curl's 7) is
    # still starting, and works on nothing; one that is silent is busy with what it has.
    answer=0
    healthy || answer=$?
    [ "$answer" -ne 7 ] || return 0
    while is_at_work && [ "$(date +%s%3N)" -lt "$last" ]; do sleep 0.05; done
}

stop() {
    # A second one must not begin anew.
    trap '' TERM INT
    # It would take the announcement away.
    [ -z "$starting" ] || kill "$starting" 2>/dev/null || true
    [ -z "$ANNOUNCE" ] || announce
    kill -TERM "$synapse" 2>/dev/null || true
    # From now on it counts for as long again.
    [ -z "$ANNOUNCE" ] || (: >"$ANNOUNCE") 2>/dev/null || true
}

/start.py run -m synapse.app.homeserver \
    --config-path=/data/homeserver.yaml --config-path=/config/homeserver.yaml \
    ${old_keys:+"--config-path=$old_keys"} ${SECRET_CONFIG:+"--config-path=$SECRET_CONFIG"} &
synapse=$!
starting=
trap stop TERM INT

# What is true only of a server that works.
(
    until healthy; do sleep 0.1; done
    [ -z "$ANNOUNCE" ] || rm -f "$ANNOUNCE" "${ANNOUNCE%/*}/maintenance"
    # For people and messages. Python would say it too, at the cost of its start.
    for installed in "$(dirname "$(command -v python3)")"/../lib/python3*/*-packages/matrix_synapse-*.dist-info; do
        [ ! -d "$installed" ] || basename "$installed" .dist-info | cut -d - -f 2 >/data/.synapse-version.new
    done
    mv /data/.synapse-version.new /data/.synapse-version
    [ "$DATABASE" = sqlite ] || [ -e /data/.database ] || echo "$DATABASE" >/data/.database
    rm -f "$SETTLING"
    # For the next deployment, which leaves this server its compiled files.
    printf '%s' "${PYTHONPYCACHEPREFIX:-}" >/data/.compiled
) &
starting=$!

if [ -n "$CERTIFICATE" ]; then
    # Synapse reads its certificates again on SIGHUP.
    (
        seen=$(cksum <"$CERTIFICATE")
        while sleep 5; do
            now=$(cksum <"$CERTIFICATE") || continue
            [ "$now" != "$seen" ] || continue
            echo "The certificate has changed: reloading it." >&2
            seen=$now
            kill -HUP "$synapse"
        done
    ) &
fi

# A signal ends `wait` early, with a status that is not Synapse's.
status=0
wait "$synapse" || status=$?
while kill -0 "$synapse" 2>/dev/null; do
    status=0
    wait "$synapse" || status=$?
done
exit "$status"
