#!/bin/sh
# Stands before dump.sh in the Synapse image.
#   DATABASE   path of the database; the server's own when not set

# dump PIPE COPY
dump() {
    exec python3 /scripts/dump.py "${DATABASE:-/data/homeserver.db}" "$2" "$1"
}
