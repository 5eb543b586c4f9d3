#!/bin/sh
# Stands before dump.sh, in the image of PostgreSQL.

dump_to() {
    pg_dump --format=custom --file="$1"
}
