#!/bin/sh
# Healthy while the last good backup, or before the first one the beginning, is younger than twice the interval.
#   EVERY   hours from one backup to the next
set -eu
state=${STATE:-/state}
since=$(cat "$state/last" 2>/dev/null || cat "$state/begun")
hours=$((($(date +%s) - since) / 3600))
if [ "$hours" -ge $((2 * EVERY)) ]; then
    echo "There has been no good backup for $hours hours."
    exit 1
fi
if [ -e "$state/damaged" ]; then
    cat "$state/damaged"
    exit 1
fi
