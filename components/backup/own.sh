#!/bin/sh
# Runs in a disposable container of the Synapse image, as root with CHOWN alone: gives volumes to those who write there.
#   OWNED   lines `<directory> <uid:gid> <mode>`

printf '%s\n' "$OWNED" | while read -r directory owner mode; do
    # What others made belongs to them.
    [ "$(stat -c %u "$directory")" = 0 ] || continue
    chmod "$mode" "$directory"
    chown "$owner" "$directory"
done
