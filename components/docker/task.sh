#!/bin/sh
# Runs one script in a disposable container on the Docker host. What differs comes through the environment, so that
# nothing needs quoting.
#   TASK_IMAGE               image to run
#   TASK_SCRIPT              shell script to run in it
#   TASK_OPTIONS             further options of `docker run`, one word a line
#   TASK_LABELS              say whose container it is, and which task's, should it outlive this script, one a line
#   TASK_NETWORK             Docker network, if the options name none
#   TASK_MOUNTS              values of `docker run --mount` that end in `src=`, one a line
#   TASK_MOUNT_0, _1, …      the sources of these mounts, in the same order
#   TASK_BEFOREHAND          shell script for this machine, run before all else
#   TASK_AFTERWARDS          shell script for this machine, run when the one in the container has succeeded
set -euf
eval "$TASK_BEFOREHAND"
IFS='
'
index=0
mounts=
for mount in $TASK_MOUNTS; do
    eval "mount=\$mount\$TASK_MOUNT_$index"
    mounts="$mounts--mount$IFS$mount$IFS"
    index=$((index + 1))
done
labels=
filters=
for label in $TASK_LABELS; do
    labels="$labels--label$IFS$label$IFS"
    filters="$filters--filter${IFS}label=$label$IFS"
done
# Killed between making its container and starting it, the docker client leaves one that `--rm` does not remove, and
# that holds its volumes. The engine may still be making it when the client is gone.
remove_leftovers() {
    # shellcheck disable=SC2086
    for leftover in $(docker ps --all --quiet --filter status=created $filters); do
        docker rm --force "$leftover" >/dev/null
    done
}
trap 'sleep 2; remove_leftovers; exit 143' HUP INT TERM
remove_leftovers
# shellcheck disable=SC2086
docker run --rm --interactive --read-only --cap-drop ALL --security-opt no-new-privileges \
    $labels --log-driver none --tmpfs /tmp:rw,size=64m --workdir / \
    ${TASK_NETWORK:+--network=$TASK_NETWORK} $TASK_OPTIONS $mounts \
    --entrypoint /bin/sh "$TASK_IMAGE" -euc "$TASK_SCRIPT"
unset IFS
eval "$TASK_AFTERWARDS"
