#!/bin/sh
# Runs in a disposable container of restic's image, as Synapse's user, after restic.sh. Opens the repository, or makes
# it where there is none, before anything of the server is touched. Prints the repository's id.
#   PLACE   the repository, as the settings name it

# restic can end before it has passed on all that ssh says.
ask_ssh() {
    case $RESTIC_REPOSITORY in
        sftp://*)
            address=${RESTIC_REPOSITORY#sftp://}
            address=ssh://${address%%/*}
            ;;
        sftp:*)
            address=${RESTIC_REPOSITORY#sftp:}
            address=${address%%:*}
            ;;
        *) return 0 ;;
    esac
    # shellcheck disable=SC2086,SC2154  # words, on purpose; from restic.sh
    timeout 30 ssh ${sftp#sftp.args=} "$address" true </dev/null 2>>/tmp/said >/dev/null || true
}

refuse() {
    ask_ssh
    {
        echo "Refused, and nothing was touched: the repository $PLACE of the backups (synapse:backup) $1. restic said:"
        # Of all its attempts the last one.
        {
            sed -n 's/^.* retrying after [^:]*: //p' /tmp/said | tail -n 1
            grep -v -e ' retrying after ' -e 'signal terminated' -e 'context canceled' /tmp/said
        } | hide | sed 's/^/  /'
    } >&2
    exit 1
}

# What is asked of an S3 server again and again, though no asking mends it.
hopeless='bucket does not exist|NoSuchBucket|signature we calculated|InvalidAccessKeyId|Access Key Id you provided|Access ?Denied|no such host'

ask() {
    ask_restic "$@" >/tmp/answer 2>/tmp/said &
    asking=$!
    while kill -0 "$asking" 2>/dev/null; do
        sleep 0.5
        ! grep -qE "$hopeless" /tmp/said || pkill restic || true
    done
    wait "$asking"
}

status=0
ask --no-cache --no-lock cat config || status=$?
if [ "$status" = 10 ] || grep -qE 'bucket does not exist|NoSuchBucket' /tmp/said; then
    status=0
    ask_restic --no-cache --quiet init >&2 2>/tmp/said || refuse "cannot be made"
    echo "There was no repository at $PLACE: it was made." >&2
    ask --no-cache --no-lock cat config || status=$?
fi
case $status in
    0) ;;
    12) refuse "has another password than synapse:backup.password" ;;
    *)
        case $PLACE in
            /*) [ -w /repository ] ||
                refuse "cannot be written to by the user 991:991. On the Docker host: chown 991:991 $PLACE" ;;
        esac
        refuse "cannot be opened"
        ;;
esac
jq -r .id </tmp/answer
