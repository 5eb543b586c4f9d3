#!/bin/sh
# Runs in a disposable container of the Synapse image, as root with CHOWN, SETUID and SETGID alone.
# Makes the server's identity on the data volume, once: Synapse's own `generate`. Later runs check it.
# Prints the server name and the public verify key: `example.org ed25519:a_AbCd <base64>`.
#   SERVER_NAME, REPORT_STATS     for `generate`
#   KEY_ROTATION                  number of the signing key: one more than that on the volume prepares another key
#   PULUMI_COMMAND_STDOUT         what the last run printed; empty on the first
#   COMPILED                      directory for Python's compiled files of this image
#   SCHEMA_PY                     text of schema.py, which reads IMAGE_REFERENCE
#   OWNER                         uid:gid that owns the data

if [ "$(id -u)" = 0 ]; then
    # Not its content: old volumes keep the owners they have.
    for volume in /data /announce /compiled; do
        [ ! -d "$volume" ] || [ "$(stat -c %u:%g "$volume")" = "$OWNER" ] || chown "$OWNER" "$volume"
    done
    exec setpriv --reuid "${OWNER%:*}" --regid "${OWNER#*:}" --clear-groups --inh-caps=-all \
        /bin/sh -euc "$TASK_SCRIPT"
fi

refuse() {
    printf 'Refused, and nothing was touched: %s\n' "$1" >&2
    exit 1
}

umask 077
exec 9>>/data/.generate.lock
# Two deployments at once make one identity.
flock -w 300 9 || {
    echo "Another run has held the lock for five minutes; see: docker ps" >&2
    exit 1
}

[ ! -e /data/.restoring ] || refuse "a restore of the backup $(cat /data/.restoring) was cut short. Set synapse:restore \
again, and it goes on."

key="/data/$SERVER_NAME.signing.key"
for other in /data/*.signing.key; do
    [ ! -e "$other" ] || [ "$other" = "$key" ] || refuse "the data volume belongs to another server: it holds ${other##*/}. \
A server's name can never change; give the new server a volume of its own (synapse:name)."
done

# Prints the name and the public half of the key in a file.
public_of() {
    seed=
    # An editor may have left out the newline at the end, which ends `read` with an error.
    read -r algorithm version seed <"$1" || [ -n "$seed" ] || unusable "$1"
    # PKCS#8's prefix of an Ed25519 seed makes it a key that openssl reads; the seed stands there without its padding.
    public=$(
        {
            printf '\060\056\002\001\000\060\005\006\003\053\145\160\004\042\004\040'
            printf '%s=' "$seed" | base64 -d
        } 2>/dev/null | openssl pkey -inform DER -pubout -outform DER 2>/dev/null | tail -c 32 | base64 | tr -d '='
    )
    [ ${#public} = 43 ] || unusable "$1"
    printf '%s:%s %s' "$algorithm" "$version" "$public"
}
unusable() {
    refuse "$1 is no signing key. It should be one line, \`ed25519 a_AbCd <43 characters>\`; restore it from a backup."
}
# The key that the server takes up at its next start. Which number that is, the key before and this one, a line each:
next=$key.next
rotation=/data/.key-rotation
set_rotation() {
    printf '%s\n' "$@" >"$rotation.new"
    sync "$rotation.new"
    mv "$rotation.new" "$rotation"
}
recorded=
case ${PULUMI_COMMAND_STDOUT:-} in
    "$SERVER_NAME "*) recorded=${PULUMI_COMMAND_STDOUT#* } ;;
esac

# Python's compiled files, which the image lacks and a read-only server could not keep: without them each of its starts
# takes several times as long.
export PYTHONPYCACHEPREFIX="$COMPILED"
compile() {
    [ ! -e "$COMPILED/.complete" ] || return 0
    python3 -c 'import synapse.app.homeserver, synapse.config.__main__' && touch "$COMPILED/.complete" ||
        echo "Synapse could not be compiled: it will start, but slowly." >&2
}
# While Synapse generates: neither waits for the other's files, which Python writes whole.
compile &
compiling=$!

# Somebody brought the key of a server of this name to an empty volume, and the rest is to be made around it.
imported=/data/.key-imported
if [ -e "$imported" ]; then
    [ -s "$key" ] || refuse "an import of a signing key into the data volume was broken off. Run npm run key -- import again."
    [ -z "$recorded" ] || [ "$recorded" = "$(public_of "$key")" ] || refuse "the imported key is not the one that the last \
deployment recorded, $recorded. Import that, or make a new stack."
fi

generated=
if [ ! -s "$key" ] || [ -e "$imported" ]; then
    for written in /data/homeserver.db /data/.synapse-version; do
        [ ! -e "$written" ] || refuse "the data volume holds a database but not the signing key ${key##*/}\
$([ ! -e "$imported" ] || echo " that it was made with"). A new key would be a new identity; restore the key from a backup."
    done
    [ -z "$recorded" ] || [ -e "$imported" ] || refuse "the last deployment recorded the key $recorded, and the data volume \
has none. Restore the volume from a backup."
    # Empty, it is from a generation that the machine did not survive; no server ever started with it.
    [ -s "$key" ] || rm -f "$key"
    # The first key is the right one for any number.
    set_rotation "$KEY_ROTATION"
    SYNAPSE_SERVER_NAME=$SERVER_NAME SYNAPSE_REPORT_STATS=$REPORT_STATS /start.py generate </dev/null >/tmp/generate.log 2>&1 || {
        cat /tmp/generate.log >&2
        exit 1
    }
    rm -f "$imported"
    generated=yes
fi

wait "$compiling"
# Another image's are of no use to this one. The server that runs keeps its own.
for other in "${COMPILED%/*}"/*; do
    case $other in
        "$COMPILED" | "$(cat /data/.compiled 2>/dev/null)") ;;
        *) rm -rf "$other" ;;
    esac
done

[ -e /data/homeserver.yaml ] || refuse "the data volume holds a signing key but no homeserver.yaml, where the server's \
other secrets are. Restore it from a backup."
# Synapse makes it when it reads its configuration, which is checked on a read-only volume.
mkdir -p /data/media_store
# Both hold secrets. What belongs to another user, as restored files may, must at least be readable.
chmod 0600 "$key" /data/homeserver.yaml 2>/dev/null || true
for file in "$key" /data/homeserver.yaml; do
    [ -r "$file" ] || refuse "$file belongs to the user $(stat -c %u:%g "$file") and cannot be read. On the Docker host, \
in the data volume's directory (docker volume inspect): chown $OWNER ${file##*/}"
done
# What was generated just now has no database yet.
[ -n "$generated" ] || python3 -c "$SCHEMA_PY"

current=$(public_of "$key")
number=0 before='' after=''
[ ! -e "$rotation" ] || { read -r number && read -r before && read -r after; } <"$rotation" || true
upcoming=
if [ -e "$next" ]; then
    [ "$before" = "$current" ] || refuse "$next was made to follow the key ${before:-of another volume}, and the data \
volume holds $current. Restore the volume from a backup."
    upcoming=$(public_of "$next")
fi

case $recorded in
    "" | "$current" | "${upcoming:-$current}") ;;
    # A deployment was killed, or its record lost, after it had replaced that key.
    "$before") [ "$after" = "$current" ] || differs=yes ;;
    *) differs=yes ;;
esac
[ -z "${differs:-}" ] || refuse "the data volume holds the key $current, and the last deployment recorded $recorded. \
Restore the volume from a backup."

# The server goes on with the key it has until it starts again, and takes up the next one then (switch-key.py).
case $((KEY_ROTATION - number)) in
    0) ;;
    1)
        [ "$before" != "$current" ] || refuse "the server has not started yet with the key of synapse:signingKey.rotation \
$number. Set it to $number, deploy, and raise it then."
        set_rotation "$KEY_ROTATION" "$current"
        before=$current
        ;;
    *) refuse "the key on the data volume is that of synapse:signingKey.rotation $number, and the setting is $KEY_ROTATION. \
Set it to $number, or to $((number + 1)) for another key." ;;
esac
if [ "$before" = "$current" ]; then
    if [ -z "$upcoming" ]; then
        python3 -m synapse._scripts.generate_signing_key -o "$next.new"
        sync "$next.new"
        mv "$next.new" "$next"
        upcoming=$(public_of "$next")
    fi
    set_rotation "$KEY_ROTATION" "$current" "$upcoming"
fi
printf '%s %s\n' "$SERVER_NAME" "${upcoming:-$current}"
