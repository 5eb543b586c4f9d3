#!/bin/sh
# Runs in a disposable container as root with CHOWN alone: gives the volumes below /volumes to certbot's user.
#   OWNER   uid:gid

for volume in /volumes/*; do
    [ "$(stat -c %u:%g "$volume")" != "$OWNER" ] || continue
    # An empty volume takes the owner of the path that it is mounted on, each time.
    touch "$volume/.keep"
    # What was copied here from another certbot's directory belongs to root.
    chown -hR "$OWNER" "$volume"
done
