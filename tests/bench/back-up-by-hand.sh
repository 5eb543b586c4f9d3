#!/bin/sh
# A backup as a person's own script would make it, with PostgreSQL's and restic's own commands.
#   POSTGRES   container of PostgreSQL
#   RESTIC     container of restic, with the server's data at /data and RESTIC_REPOSITORY set
set -eu
docker exec "$POSTGRES" pg_dump --format=custom --username=postgres synapse |
    docker exec --interactive "$RESTIC" restic backup --quiet --stdin --stdin-filename synapse.dump
docker exec "$RESTIC" restic backup --quiet /data --exclude /data/media_store/remote_content \
    --exclude "/data/media_store/remote_thumbnail*" --exclude "/data/media_store/url_cache*"
docker exec "$RESTIC" restic forget --quiet --group-by paths --keep-last 50 --prune
