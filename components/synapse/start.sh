#!/bin/sh
# Starts Synapse, at every start of its container.
#   SIGNING_KEY   path of the server's signing key
#   CERTIFICATE   path of its TLS certificate; empty when it speaks plain HTTP
set -eu

# Synapse would make a new key without a word, and be another server from then on.
if [ ! -s "$SIGNING_KEY" ]; then
    echo "The signing key $SIGNING_KEY is missing: refusing to start. Restore it from a backup." >&2
    exit 1
fi

# What a later deployment compares its image with: Synapse's database cannot go back.
# Where pip puts it says the version at once; asking Python would lengthen every restart by a tenth of a second.
version=
for installed in "$(dirname "$(command -v python3)")"/../lib/python3*/*-packages/matrix_synapse-*.dist-info; do
    [ ! -d "$installed" ] || version=$(basename "$installed" .dist-info)
done
version=${version#matrix_synapse-}
[ -n "$version" ] ||
    version=$(python3 -c 'from importlib.metadata import version; print(version("matrix-synapse"))')
echo "$version" >/data/.synapse-version.new
mv /data/.synapse-version.new /data/.synapse-version

if [ -n "$CERTIFICATE" ]; then
    # Synapse, the first process after the exec below, reads its certificates again on SIGHUP.
    (
        seen=$(cksum <"$CERTIFICATE")
        while sleep 5; do
            now=$(cksum <"$CERTIFICATE") || continue
            [ "$now" != "$seen" ] || continue
            echo "The certificate has changed: reloading it." >&2
            seen=$now
            kill -HUP 1
        done
    ) &
fi

exec /start.py run -m synapse.app.homeserver \
    --config-path=/data/homeserver.yaml --config-path=/config/homeserver.yaml
