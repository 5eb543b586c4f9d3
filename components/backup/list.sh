#!/bin/sh
# Prints the snapshots of this server as restic gives them, in JSON. Follows restic.sh.
#   SERVER_NAME   whose backups these are
set -eu
ask_restic snapshots --no-lock --json --tag "server:$SERVER_NAME"
