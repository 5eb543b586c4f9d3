#!/bin/sh
# Starts nginx with a watcher beside it, which reloads it when a certificate changes.
set -eu

CONF=/etc/nginx/stack/current/nginx.conf
CERTIFICATE=/etc/nginx/certificates/current/fullchain.pem
# Included by an nginx.conf that believes a proxy on the Docker host.
HOST=/run/host.conf

# The gateway of the container's network, which is whom Docker shows for what connects from the host itself. The kernel
# writes an IPv4 address backwards, and both without their punctuation.
gateways() {
    sed -n 's/^[^\t]*\t00000000\t\(..\)\(..\)\(..\)\(..\)\t.*/0x\4 0x\3 0x\2 0x\1/p' /proc/net/route | while read -r bytes; do
        # shellcheck disable=SC2086  # four of them
        printf '%d.%d.%d.%d\n' $bytes
    done
    if [ -e /proc/net/ipv6_route ]; then
        sed -n 's/^0\{32\} 00 0\{32\} 00 \([0-9a-f]\{32\}\) .*/\1/p' /proc/net/ipv6_route |
            sed '/^0*$/d; s/..../&:/g; s/:$//'
    fi
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
        now=$(certificate)
        # What was refused is tried again: nginx may not have been ready, or the file whole.
        if [ "$now" != "$seen_certificate" ] || [ -e /run/refused ]; then
            seen_certificate=$now
            reload "The certificate has changed, or was refused before"
        fi
    done
}

gateways | sed 's/.*/set_real_ip_from &;/' >"$HOST"
touch /run/watching
watch &
exec nginx -c "$CONF" -g 'daemon off;'
