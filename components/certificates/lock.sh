#!/bin/sh
# Stands before other scripts of this directory, for those of which only one may run at a time.

# lock FILE: keeps others out until this script ends, and waits while another one does so. Not `flock -w`: the flock of
# busybox, which is certbot's, has no such option.
lock() {
    exec 9>>"$1"
    tries=0
    until flock -n 9; do
        tries=$((tries + 1))
        if [ "$tries" -gt 300 ]; then
            echo "Another run has held the lock for five minutes; see: docker ps" >&2
            exit 1
        fi
        sleep 1
    done
}
