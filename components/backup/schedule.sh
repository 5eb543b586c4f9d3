#!/bin/sh
# Stands before other scripts of this directory. Times are seconds since 1970, in UTC.
#   EVERY   hours from one backup to the next
#   AT      time of day at which one begins: 03:00

# The last time at or before NOW at which a backup is to begin.
last_time() {
    # A leading zero would make it octal.
    hours=${AT%:*} minutes=${AT#*:}
    offset=$((${hours#0} * 3600 + ${minutes#0} * 60))
    period=$((EVERY * 3600))
    echo $(($1 - ($1 - offset) % period))
}

# is_due NOW LAST: LAST is when the last good one began, 0 without one.
is_due() {
    [ "$2" = 0 ] || [ $(($1 - $2)) -ge $((EVERY * 3600)) ] || [ "$2" -lt "$(last_time "$1")" ]
}

# Seconds to wait after so many failures in a row.
pause_after() {
    case $1 in
        1) echo 60 ;;
        2) echo 300 ;;
        3) echo 900 ;;
        *) echo 3600 ;;
    esac
}
