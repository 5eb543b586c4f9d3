#!/bin/sh
# Runs in a disposable container of the nginx image, as root with CHOWN and DAC_OVERRIDE alone: a test of nginx makes
# its directories, and opens the private key, which is readable by its own user.
# Stages nginx.conf, which it reads from standard input, has nginx test it, and makes it the current one.
#   DIGEST    of the configuration; its directory is named by it
#   HOLD_JS   text of hold.js
#   OWNER     uid:gid that nginx runs as

staged=/etc/nginx/stack/$DIGEST
mkdir -p "$staged"
printf '%s\n' "$HOLD_JS" >"$staged/hold.js"
cat >"$staged/nginx.conf"
# What start.sh will find on the network; there is none here.
: >/run/host.conf
# nginx's own words say what is wrong, and the current configuration stays.
nginx -t -q -c "$staged/nginx.conf" >&2

# nginx's test above has a directory in memory in its place: as root it would take this one from the running nginx.
mkdir -p /disk/client_temp
chown "$OWNER" /disk/client_temp

# What the running nginx has, should it refuse the new one.
previous=$(readlink /etc/nginx/stack/current || true)
if [ -n "$previous" ] && [ "$previous" != "$DIGEST" ]; then ln -sfn "$previous" /etc/nginx/stack/previous; fi
ln -sfn "$DIGEST" /etc/nginx/stack/next
mv -T /etc/nginx/stack/next /etc/nginx/stack/current
for old in /etc/nginx/stack/*/; do
    case $old in
        */current/ | */previous/ | */"$DIGEST"/ | */"$previous"/) ;;
        *) rm -rf "$old" ;;
    esac
done
