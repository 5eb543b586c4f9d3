#!/bin/sh
# Runs in a disposable container of the Synapse image, as root with CHOWN, SETUID and SETGID alone.
# Keeps files in a directory of their own below /secrets, which their user alone reads, and prints the directory's name.
# That is random, so that nobody can try guesses at the content with it; what is there already keeps its name.
# From standard input: a line `<name> <base64 of the content>` for each file.
#   OWNER   uid:gid of their user

if [ "$(id -u)" = 0 ]; then
    chown "$OWNER" /secrets
    exec setpriv --reuid "${OWNER%:*}" --regid "${OWNER#*:}" --clear-groups --inh-caps=-all \
        /bin/sh -euc "$TASK_SCRIPT"
fi

umask 077
mkdir /tmp/files
while read -r name content; do
    printf %s "$content" | base64 -d >"/tmp/files/$name"
done
for kept in /secrets/*; do
    if [ -d "$kept" ] && diff -r /tmp/files "$kept" >/dev/null; then
        basename "$kept"
        exit
    fi
done
name=$(cat /proc/sys/kernel/random/uuid)
# Whole, or not there.
mkdir "/secrets/.$name"
cp /tmp/files/* "/secrets/.$name/"
chmod 0400 "/secrets/.$name"/*
mv "/secrets/.$name" "/secrets/$name"
echo "$name"
