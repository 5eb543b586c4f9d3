#!/bin/sh
# Runs in a disposable container, as the server's user, when PostgreSQL of the major that the settings name accepts
# queries. From here on there is no way back to the older one.
#   CHECKED    what the initialization said
#   COPIED     file that keeps the server from starting
#   SETTLING   file that it removes when it was healthy

[ ! -e "$COPIED" ] || case $CHECKED in
    "given-up "*) rm "$COPIED" ;;
    *) mv "$COPIED" "$SETTLING" ;;
esac
