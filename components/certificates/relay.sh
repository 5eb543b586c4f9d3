#!/bin/sh
# Copies a certificate and its key from where certbot keeps them, readable by root alone, to where a server without
# privileges reads them. Runs as root with CHOWN and DAC_READ_SEARCH alone, and without network.
#   CERTIFICATE, PRIVATE_KEY   paths below /source
#   OWNER                      uid:gid that the copy of the key is for
#   RELAY                      `once`, or `watch`: copy whenever the certificate changes
set -eu

fail() {
    echo "$1" >&2
    return 1
}

# The pair as it is now; nothing half-copied is ever current.
copy() {
    for file in "/source/$CERTIFICATE" "/source/$PRIVATE_KEY"; do
        [ -s "$file" ] || fail "On the Docker host, ${file#/source/} is missing or empty in the certificate directory. \
Get the certificate first (certbot certonly), or set synapse:tls to where it is." || return 1
    done
    digest=$(cat "/source/$CERTIFICATE" "/source/$PRIVATE_KEY" | sha256sum | cut -c 1-12)
    [ "$(readlink /certificates/current || true)" != "live/$digest" ] || return 0
    live=/certificates/live/$digest
    (umask 022 && mkdir -p "$live")
    umask 077
    cat "/source/$CERTIFICATE" >"$live/fullchain.pem.new"
    cat "/source/$PRIVATE_KEY" >"$live/privkey.pem.new"
    certified=$(openssl x509 -in "$live/fullchain.pem.new" -noout -pubkey) || return 1
    held=$(openssl pkey -in "$live/privkey.pem.new" -pubout) || return 1
    # certbot moves its two links one after the other: for a moment they belong to two certificates.
    [ "$certified" = "$held" ] || fail "The certificate and the private key do not belong together." || return 1
    chmod 0444 "$live/fullchain.pem.new"
    chmod 0400 "$live/privkey.pem.new"
    chown "$OWNER" "$live/privkey.pem.new"
    mv "$live/fullchain.pem.new" "$live/fullchain.pem"
    mv "$live/privkey.pem.new" "$live/privkey.pem"
    ln -sfn "live/$digest" /certificates/current.new
    mv -T /certificates/current.new /certificates/current
    echo "Copied the certificate $(openssl x509 -in "$live/fullchain.pem" -noout -enddate)." >&2
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
