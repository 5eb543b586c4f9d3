#!/bin/sh
# Starts nginx with a watcher beside it, which reloads it when a certificate or Synapse's address changes.
#   UPSTREAM   where Synapse is on the network: host:port
set -eu

CONF=/etc/nginx/stack/current/nginx.conf
CERTIFICATE=/etc/nginx/certificates/current/fullchain.pem

# Bounded, so that a name server that does not answer cannot stop the watcher.
upstream() {
    address=$(timeout 5 getent ahostsv4 "${UPSTREAM%:*}" | head -n 1 | cut -d ' ' -f 1) || true
    # Nobody listens on port 1: until Synapse has an address, nginx answers 502.
    echo "server ${address:-127.0.0.1}:$([ -n "$address" ] && echo "${UPSTREAM#*:}" || echo 1) max_fails=0;"
}

certificate() {
    stat -L -c '%i %Y %s' "$CERTIFICATE" 2>/dev/null || echo none
}

# A configuration that nginx refuses leaves the old one in use, and makes the container unhealthy.
reload() {
    echo "$1: reloading nginx." >&2
    if nginx -t -q -c "$CONF" && nginx -s reload -c "$CONF"; then
        rm -f /run/refused
    else
        touch /run/refused
    fi
}

watch() {
    seen_certificate=$(certificate)
    while sleep 1; do
        touch /run/watching
        now=$(upstream)
        case $now in
            # Synapse is away: its old address is as good as none, and a reload would help nobody.
            "server 127.0.0.1:1 "*) ;;
            "$(cat /run/upstream.conf)") ;;
            *)
                echo "$now" >/run/upstream.conf
                reload "Synapse has a new address"
                ;;
        esac
        now=$(certificate)
        # What was refused is tried again: nginx may not have been ready, or the file whole.
        if [ "$now" != "$seen_certificate" ] || [ -e /run/refused ]; then
            seen_certificate=$now
            reload "The certificate has changed, or was refused before"
        fi
    done
}

upstream >/run/upstream.conf
touch /run/watching
watch &
exec nginx -c "$CONF" -g 'daemon off;'
