#!/bin/sh
# Becomes restic, as nice as NICE, IONICE_CLASS and IONICE_PRIORITY say.
set -e

set -- /usr/bin/restic "$@"
# busybox's ionice refuses a priority where there is no class.
if [ -n "$IONICE_CLASS" ]; then set -- ionice -c "$IONICE_CLASS" -n "${IONICE_PRIORITY:-4}" "$@"; fi
exec nice -n "${NICE:-0}" "$@"
