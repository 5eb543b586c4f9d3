#!/usr/bin/env bash
# Initialises a server's data and ends. Where there is a database already: success by this name, and a failure when
# called docker-enforce-initdb.sh.
set -Eeuo pipefail
# shellcheck source=images/postgres/docker-entrypoint.sh
. /usr/local/bin/docker-entrypoint.sh

if [ "${1:-}" != postgres ]; then set -- postgres "$@"; fi
setup_env
create_directories
become_postgres "$@"
if [ -z "$DATABASE_ALREADY_EXISTS" ]; then
    initialise "$@"
elif [ "${0##*/}" = docker-ensure-initdb.sh ]; then
    echo "${0##*/}: note: database already initialized in '$PGDATA'!" >&2
else
    echo "${0##*/}: error: (unexpected) database found in '$PGDATA'!" >&2
    exit 1
fi
