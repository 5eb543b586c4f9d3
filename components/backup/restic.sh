#!/bin/sh
# Stands before other scripts of this directory, in restic's image: restic, as the settings have it.
#   SECRETS             directory with `password`, `environment` and `hidden`; with an sftp repository `id`, `known_hosts`
#   RESTIC_REPOSITORY   in restic's notation
#   RESTIC_CACHE_DIR    where restic keeps what it has read of the repository before
# shellcheck disable=SC2317  # what others call is reachable

umask 077
export TZ=UTC HOME=/tmp RESTIC_PASSWORD_FILE="$SECRETS/password"
# shellcheck disable=SC1091  # made by the program
. "$SECRETS/environment"
# ssh refuses a user without a name. /etc is in memory then.
if [ -e "$SECRETS/id" ] && ! grep -qs "^[^:]*:[^:]*:$(id -u):" /etc/passwd; then
    echo "synapse:x:$(id -u):$(id -g)::/tmp:/bin/sh" >>/etc/passwd
fi

sftp=
[ ! -e "$SECRETS/id" ] || sftp="sftp.args=-i $SECRETS/id -o UserKnownHostsFile=$SECRETS/known_hosts \
-o StrictHostKeyChecking=yes -o BatchMode=yes -o IdentitiesOnly=yes -o ConnectTimeout=20 \
-o ServerAliveInterval=15 -o ServerAliveCountMax=8"

run_restic() {
    restic ${sftp:+-o "$sftp"} "$@"
}

# restic itself would go on trying for a quarter of an hour.
ask_restic() {
    timeout 60 restic ${sftp:+-o "$sftp"} "$@"
}

# Of its input, without what nobody may see.
hide() {
    awk -v hidden="$SECRETS/hidden" '
        BEGIN { while ((getline line <hidden) > 0) if (length(line) > 3) secrets[++count] = line }
        {
            said = ""
            rest = $0
            for (i = 1; i <= count; i++) {
                while (at = index(rest, secrets[i])) {
                    said = said substr(rest, 1, at - 1) "[secret]"
                    rest = substr(rest, at + length(secrets[i]))
                }
                rest = said rest
                said = ""
            }
            print rest
        }'
}

# Reads `restic snapshots --json`. Prints a line for each run, the oldest first: its name, its host, the snapshot of
# its database, the file in that, and the snapshot of its files; `-` for what is not there.
runs() {
    jq -r '
        def tagged(prefix): ([.tags // [] | .[] | select(startswith(prefix)) | ltrimstr(prefix)] | first) // "-";
        map({id, hostname, path: .paths[0], run: tagged("run:"), part: tagged("part:")})
        | map(select(.run != "-")) | group_by(.run) | .[]
        | (map(select(.part == "database")) | last) as $database
        | (map(select(.part == "files")) | last) as $files
        | [.[0].run, .[0].hostname, $database.id // "-", $database.path // "-", $files.id // "-"] | join(" ")'
}
