#!/bin/sh
# Runs in a disposable container of the Synapse image, as Synapse's user, with every volume read-only.
# Synapse itself reads the configuration, before the running server is touched: the generated layer from the data
# volume, the one rendered from the settings from standard input, the old signing keys, and the secret one.
#   SECRET_CONFIG   path of the secret layer; empty without one
#   DATABASE        where the data is to be: sqlite or postgres
#   MOVING_LOCK     file whose lock whoever moves the data holds

[ "$DATABASE" != sqlite ] || [ ! -e /data/.database ] || {
    echo "Refused, and nothing was touched: the server's data is in PostgreSQL, and synapse:database.kind is sqlite. \
Set it back." >&2
    exit 1
}
# Its container outlives an interrupted deployment.
[ "$DATABASE" != sqlite ] || [ ! -e "$MOVING_LOCK" ] || flock -s -n "$MOVING_LOCK" true || {
    echo "Refused, and nothing was touched: a container still moves the server's data to PostgreSQL, and \
synapse:database.kind is sqlite. Wait for it to end, or end it (docker ps); then run this again." >&2
    exit 1
}

# A first deployment has no server to spare: there its own start is the check. Not with secrets, which it could quote.
[ -n "$SECRET_CONFIG" ] || [ -e /data/.synapse-version ] || [ -e /data/homeserver.db ] || exit 0

# What Synapse refuses it quotes, and that may be a secret.
hide_secrets() {
    [ -n "$SECRET_CONFIG" ] || exec cat
    exec python3 -c '
import sys, yaml

def texts(value):
    if isinstance(value, dict):
        value = value.values()
    if isinstance(value, (list, type({}.values()))):
        return [text for inner in value for text in texts(inner)]
    return [] if value is None or isinstance(value, bool) else [str(value)]

with open(sys.argv[1]) as file:
    found = texts(yaml.safe_load(file))
said = sys.stdin.read()
for text in sorted(found, key=len, reverse=True):
    # Hiding shorter ones would make the message unreadable, and tell what they are.
    for form in (repr(text)[1:-1], text, *text.splitlines()):
        if len(form) >= 4:
            said = said.replace(form, "[secret]")
sys.stdout.write(said)
' "$SECRET_CONFIG"
}

cat >/tmp/homeserver.yaml
old_keys=/data/old_signing_keys.yaml
[ -e "$old_keys" ] || old_keys=
answer=$(
    python3 -m synapse.config --config-path=/data/homeserver.yaml --config-path=/tmp/homeserver.yaml \
        ${old_keys:+"--config-path=$old_keys"} ${SECRET_CONFIG:+"--config-path=$SECRET_CONFIG"} 2>&1 </dev/null
) || {
    echo "Synapse refuses this configuration; the running server was not touched:" >&2
    printf '%s\n' "$answer" | hide_secrets >&2
    exit 1
}
