#!/bin/sh
# Runs in a disposable container of the Synapse image, as Synapse's user, with every volume read-only.
# Synapse itself reads the configuration, before the running server is touched: the generated layer from the data
# volume, and the one rendered from the settings from standard input.

cat >/tmp/homeserver.yaml
answer=$(
    python3 -m synapse.config --config-path=/data/homeserver.yaml --config-path=/tmp/homeserver.yaml 2>&1 </dev/null
) || {
    printf 'Synapse refuses this configuration; the running server was not touched:\n%s\n' "$answer" >&2
    exit 1
}
