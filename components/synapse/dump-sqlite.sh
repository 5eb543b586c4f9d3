#!/bin/sh
# Stands before dump.sh, in the image of Synapse.

# Online: the server goes on writing, and what is copied is whole.
dump_to() {
    python3 -c '
import sqlite3, sys
from contextlib import closing

with closing(sqlite3.connect("file:/data/homeserver.db?mode=rw", uri=True, timeout=60)) as source:
    with closing(sqlite3.connect(sys.argv[1])) as target:
        source.backup(target)
' "$1"
}
