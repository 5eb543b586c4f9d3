#!/bin/sh
# Starts nginx with a watcher beside it, which reloads it when a certificate changes.
set -eu

CONF=/etc/nginx/stack/current/nginx.conf
CERTIFICATE=/etc/nginx/certificates/current/fullchain.pem

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
        now=$(certificate)
        # What was refused is tried again: nginx may not have been ready, or the file whole.
        if [ "$now" != "$seen_certificate" ] || [ -e /run/refused ]; then
            seen_certificate=$now
            reload "The certificate has changed, or was refused before"
        fi
    done
}

touch /run/watching
watch &
exec nginx -c "$CONF" -g 'daemon off;'
