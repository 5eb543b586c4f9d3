#!/bin/sh
# Runs the executable scripts of /docker-entrypoint.d in their order, then becomes the given command.
# Only for nginx itself: a check or a shell in this image should not start what serves a server.
set -eu

if [ "${1:-}" = nginx ]; then
    for script in /docker-entrypoint.d/*.sh; do
        [ -e "$script" ] || continue
        if [ -x "$script" ]; then
            "$script"
        else
            echo "docker-entrypoint.sh: $script is not executable, so it was not run" >&2
        fi
    done
fi

exec "$@"
