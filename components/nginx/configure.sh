#!/bin/sh
# Runs in a disposable container of the nginx image, as root with CHOWN and DAC_OVERRIDE alone:
# a test of nginx makes its directories, and opens the private key, which is readable by its own user.
# Stages nginx.conf, which it reads from standard input, has nginx test it, and makes it the current one.

next="/etc/nginx/stack/next.$(cat /proc/sys/kernel/random/uuid)"
trap 'rm -f "$next"' EXIT
cat >"$next"
chmod 0644 "$next"
echo 'server 127.0.0.1:1;' >/run/upstream.conf
# nginx's own words say what is wrong, and the current file stays.
nginx -t -q -c "$next" >&2
mv "$next" /etc/nginx/stack/nginx.conf
