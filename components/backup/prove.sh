#!/bin/sh
# Runs in a disposable container of restic's image, as Synapse's user, after restic.sh. Opens the repository, or makes
# it where there is none, before anything of the server is touched. Prints the repository's id.
#   PLACE   the repository, as the settings name it

refuse() {
    {
        echo "Refused, and nothing was touched: the repository $PLACE of the backups (synapse:backup) $1. restic said:"
        hide </tmp/said | sed 's/^/  /'
    } >&2
    exit 1
}

status=0
ask_restic --no-cache --no-lock cat config >/tmp/config 2>/tmp/said || status=$?
if [ "$status" = 10 ]; then
    ask_restic --no-cache --quiet init >&2 2>/tmp/said || status=$?
    case $status in
        0 | 10) ;;
        *) refuse "cannot be made" ;;
    esac
    echo "There was no repository at $PLACE: it was made." >&2
    status=0
    ask_restic --no-cache --no-lock cat config >/tmp/config 2>/tmp/said || status=$?
fi
case $status in
    0) ;;
    12) refuse "has another password than synapse:backup.password" ;;
    124 | 143) refuse "did not answer within a minute" ;;
    *)
        case $PLACE in
            /*) [ -w /repository ] ||
                refuse "cannot be written to by the user 991:991. On the Docker host: chown 991:991 $PLACE" ;;
        esac
        refuse "cannot be opened"
        ;;
esac
jq -r .id </tmp/config
