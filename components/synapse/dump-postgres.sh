#!/bin/sh
# Stands before dump.sh, in the image of PostgreSQL.

schema_version() {
    psql --no-psqlrc --quiet --tuples-only --no-align --command='SELECT version FROM schema_version'
}

dump_to() {
    pg_dump --format=custom --file="$1"
}
