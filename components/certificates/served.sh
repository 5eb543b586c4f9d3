#!/bin/sh
# Waits until nginx serves the certificate that is current: its watcher takes a moment to see it.
#   SERVED_AT   host:port of nginx on the network

wanted=$(openssl x509 -in /certificates/current/fullchain.pem -noout -fingerprint -sha256)
deadline=$(($(date +%s) + 20))
until [ "$(timeout 3 openssl s_client -connect "$SERVED_AT" -noservername </dev/null 2>/dev/null |
    openssl x509 -noout -fingerprint -sha256 2>/dev/null)" = "$wanted" ]; do
    if [ "$(date +%s)" -gt "$deadline" ]; then
        echo "The certificate is there, but nginx at $SERVED_AT does not serve it; see its log." >&2
        exit 1
    fi
    sleep 0.5
done
readlink /certificates/current
