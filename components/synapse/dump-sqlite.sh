#!/bin/sh
# Stands before dump.sh, in the image of Synapse.

with_database() {
    python3 -c '
import sqlite3, sys
from contextlib import closing

with closing(sqlite3.connect("file:/data/homeserver.db?mode=rw", uri=True, timeout=60)) as source:
'"$1" "$2"
}

schema_version() {
    with_database '    print(source.execute("SELECT version FROM schema_version").fetchone()[0])' ''
}

# Online: the server goes on writing, and what is copied is whole.
dump_to() {
    with_database '    with closing(sqlite3.connect(sys.argv[1])) as target: source.backup(target)' "$1"
}
