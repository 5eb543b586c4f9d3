#!/bin/sh
# Runs in a disposable container of the PostgreSQL image, as root with CHOWN, SETUID and SETGID alone, without a network.
# Makes the database and its owner's password, once. Data that is there is left alone: a server may be running on it.
# Prints `ready`; or `upgrade 15` when the data is to be copied from that major first (upgrade.sh); or `given-up 18` when
# a copy to that one was begun, which is removed.
#   MOUNT         where the data volume is
#   MAJOR         PostgreSQL's major version
#   UPGRADE       "yes" when the settings ask for data of an older one to be copied
#   COPIED        file that says what has been copied where, until the server is let in: `15 17`
#   SETTLING      file that is there from then on until the server was healthy
#   LOCK          file whose lock whoever copies holds
#   SERVER_USER   uid:gid of the server's, whose data volume with these three is at /data
#   CLUSTER       cluster.sh
#   OWNER         uid:gid of PostgreSQL's user
#   READERS       name=uid:gid of each password file, one a line
#   DBNAME, ROLE  the database, and the role that owns it

# shellcheck disable=SC2153  # from the environment
eval "$CLUSTER"

[ "$(stat -c %u:%g "$MOUNT")" = "$OWNER" ] || chown "$OWNER" "$MOUNT"

# What the server's volume says of an upgrade.
copied=$(as "$SERVER_USER" cat "$COPIED" 2>/dev/null) || copied=
copying=
! as "$SERVER_USER" test -e "$LOCK" || as "$SERVER_USER" flock -s -n "$LOCK" true || copying=yes
settling=
! as "$SERVER_USER" test -e "$SETTLING" || settling=yes
export copied copying settling

# What PostgreSQL's user does. It writes the password, for the files of those who connect.
password=$(as "$OWNER" /bin/bash -euc "$(
    cat <<'POSTGRES'
set -o pipefail
cd "$MOUNT"
umask 077
eval "$CLUSTER"
exec 9>>.lock
# Two deployments at once make one database.
flock -w 300 9 || {
    echo "Another run has held the lock for five minutes; see: docker ps" >&2
    exit 1
}

refuse() {
    printf 'Refused, and nothing was touched: %s\n' "$1" >&2
    exit 1
}

# A major's folder. What is left of it when this is cut short is no data.
remove() {
    [ ! -e "$1/docker" ] || {
        rm -rf "$1/new"
        mv "$1/docker" "$1/new"
    }
    rm -rf "$1"
}

[ "$(postgres -V | sed 's/.* \([0-9]*\)[.a-z].*/\1/')" = "$MAJOR" ] || refuse "the image of PostgreSQL has $(postgres -V), \
and synapse:database.version is $MAJOR. Set synapse:images.postgres to one of that major, or leave it out."

older=
newer=
for other in [0-9]*/docker/PG_VERSION; do
    [ -e "$other" ] || continue
    other=${other%%/*}
    if [ "$other" -lt "$MAJOR" ]; then older=$other; elif [ "$other" -gt "$MAJOR" ]; then newer=$other; fi
done
# As long as the server was not let in, a newer one has nothing that the older one lacks.
[ -z "$newer" ] || [ "${copied#* }" = "$newer" ] || refuse "the data is in PostgreSQL $newer, which no older one can read, \
and synapse:database.version is $MAJOR: whatever was written since the upgrade would be lost. Set it back to $newer."

answer=ready
if [ -n "$older" ] && [ ! -e "$MAJOR/docker/PG_VERSION" ]; then
    [ "$UPGRADE" = yes ] || refuse "the volume holds data of PostgreSQL $older, and synapse:database.version is $MAJOR. To \
have it copied, which stops the server for that long (docs/database.md#to-another-major): pulumi config set --path \
synapse:database.upgrade true. Else set the version back to $older."
    # What a copy that was cut short has taken is there to be had.
    [ -n "$copying" ] || rm -rf "$MAJOR/new"
    # What the server is doing to its files meanwhile is no reason to fail.
    size=$(du -sk "$older/docker/base" 2>/dev/null | cut -f 1) || true
    space=$(df -Pk . | awk 'NR == 2 { print $4 }')
    [ -n "$copying" ] || [ "$space" -gt "$((size + 65536))" ] || refuse "PostgreSQL $MAJOR gets a copy of the data beside that of $older, which \
has $((size / 1024)) MiB; there are $((space / 1024)) MiB on the disk, and 64 should be left. Make room; then run this again."
    # So that whoever gives it up finds that it was begun.
    mkdir -p "$MAJOR"
    answer="upgrade $older"
elif [ -n "$older" ] && [ -n "$copied" ]; then
    answer="upgrade $older"
elif [ -n "$older" ]; then
    for other in [0-9]*/docker/PG_VERSION; do
        other=${other%%/*}
        [ "$other" -lt "$MAJOR" ] || continue
        [ -s "$other/copied-to" ] || refuse "the volume holds data of PostgreSQL $other and of $MAJOR, and the one is no copy \
of the other that was made here. Move the folder away that is not the server's."
        if [ -n "$settling" ]; then
            echo "The data of PostgreSQL $other is kept: the server has not been healthy with $MAJOR yet. Leave \
synapse:database.upgrade true until it was." >&2
        elif [ "$UPGRADE" != yes ]; then
            echo "Removing the data of PostgreSQL $other: the server has worked with $MAJOR." >&2
            remove "$other"
        fi
    done
fi
for begun in [0-9]*; do
    [ -d "$begun" ] && [ "$begun" -gt "$MAJOR" ] || continue
    [ -z "$copying" ] || refuse "a container still copies the data to PostgreSQL $begun. Wait \
for it to end, or end it (docker ps); then run this again."
    echo "The upgrade to PostgreSQL $begun was not finished, and is given up." >&2
    remove "$begun"
    [ "$answer" != ready ] || answer="given-up $begun"
done

if [ ! -s password ]; then
    # Letters and digits, which stand for themselves wherever it is written.
    head -c 48 /dev/urandom | base64 -w0 | tr -dc 'A-Za-z0-9' >.password
    sync .password
    mv .password password
fi

if [ "$answer" != "upgrade $older" ] && [ ! -e "$MAJOR/docker/PG_VERSION" ]; then
    mkdir -p "$MAJOR"
    begin_cluster "$PWD/$MAJOR/new" "-c shared_buffers=16MB"
    end_cluster "$PWD/$MAJOR/new"
    mv "$MAJOR/new" "$MAJOR/docker"
    sync -f "$MAJOR"
fi
printf '%s\n' "$answer" >/tmp/answer
chmod 0644 /tmp/answer
cat password
POSTGRES
)")

printf '%s\n' "$READERS" | while IFS='=' read -r reader owner; do
    file="/database/$reader.pgpass"
    # Root may change no file that is another's: it makes one, and gives it away.
    rm -f "$file.new"
    (
        umask 077
        printf '*:*:%s:%s:%s\n' "$DBNAME" "$ROLE" "$password" >"$file.new"
    )
    chmod 0400 "$file.new"
    chown "$owner" "$file.new"
    mv "$file.new" "$file"
done
cat /tmp/answer
