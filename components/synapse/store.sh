#!/bin/sh
# Runs in a disposable container of the Synapse image, as root with CHOWN, SETUID and SETGID alone.
# Keeps its standard input in a directory of its own below /secrets, as a file that Synapse's user alone reads, and
# prints the directory's name. That is random, so that nobody can try guesses at the content with it; what is there
# already keeps its name.
#   OWNER   uid:gid of Synapse's user

if [ "$(id -u)" = 0 ]; then
    chown "$OWNER" /secrets
    exec setpriv --reuid "${OWNER%:*}" --regid "${OWNER#*:}" --clear-groups --inh-caps=-all \
        /bin/sh -euc "$TASK_SCRIPT"
fi

umask 077
cat >/tmp/homeserver.yaml
for kept in /secrets/*/homeserver.yaml; do
    if [ -e "$kept" ] && cmp -s /tmp/homeserver.yaml "$kept"; then
        basename "$(dirname "$kept")"
        exit
    fi
done
name=$(cat /proc/sys/kernel/random/uuid)
# Whole, or not there.
mkdir "/secrets/.$name"
cat /tmp/homeserver.yaml >"/secrets/.$name/homeserver.yaml"
chmod 0400 "/secrets/.$name/homeserver.yaml"
mv "/secrets/.$name" "/secrets/$name"
echo "$name"
