#!/bin/sh
# Copies a certificate and its key from where certbot keeps them, readable by root alone, to where a server without
# privileges reads them. Runs as root with CHOWN and DAC_READ_SEARCH alone, and without network. Follows install-pair.sh.
#   CERTIFICATE, PRIVATE_KEY   paths below /source
#   OWNER                      uid:gid that the copy of the key is for
#   RELAY                      `once`, or `watch`: copy whenever the certificate changes
set -eu

fail() {
    echo "$1" >&2
    return 1
}

copy() {
    for file in "/source/$CERTIFICATE" "/source/$PRIVATE_KEY"; do
        [ -s "$file" ] || fail "On the Docker host, ${file#/source/} is missing or empty in the certificate directory. \
Get the certificate first (certbot certonly), or set synapse:tls to where it is." || return 1
    done
    install_pair "/source/$CERTIFICATE" "/source/$PRIVATE_KEY" "$OWNER"
}

copy
[ "$RELAY" = watch ] || exit 0
touch /tmp/copied

# The first process of a container ignores signals that it has not asked for.
trap 'exit 0' TERM INT
while true; do
    sleep 5 &
    wait $!
    if copy; then touch /tmp/copied; else echo "The copy that is in use stays." >&2; fi
done
