#!/bin/sh
# A server on SQLite moved to PostgreSQL as Synapse's documentation says: by its own tools, one docker command after the
# other, with nothing checked, compared or kept.
#   move-by-hand.sh start   starts it, on a volume that holds another server's data, and a PostgreSQL
#   move-by-hand.sh move    moves it
#   NAME                    of its container, and the label of all Docker objects; its data is on NAME-data
#   PORT                    where it is published on this machine
#   SYNAPSE_IMAGE, POSTGRES_IMAGE
set -eu

server() {
    docker run --detach --label "$NAME" --name "$NAME" --network "$NAME" --publish "127.0.0.1:$PORT:8008" \
        --volume "$NAME-data:/data" "$SYNAPSE_IMAGE" run \
        -m synapse.app.homeserver --config-path=/data/homeserver.yaml --config-path=/data/by-hand.yaml "$@"
}

tools() {
    docker run --rm --label "$NAME" --network "$NAME" --user 991:991 --volume "$NAME-data:/data" \
        --entrypoint /bin/sh "$SYNAPSE_IMAGE" -euc "$1"
}

case $1 in
    start)
        docker network create --label "$NAME" "$NAME"
        docker run --detach --label "$NAME" --name "$NAME-postgres" --network "$NAME" --network-alias postgres \
            --env POSTGRES_USER=synapse --env POSTGRES_PASSWORD=synapse \
            --env POSTGRES_INITDB_ARGS="--encoding=UTF8 --locale=C" "$POSTGRES_IMAGE"
        tools '
            cat >/data/by-hand.yaml <<YAML
listeners: [{ port: 8008, type: http, bind_addresses: ["0.0.0.0"], resources: [{ names: [client] }] }]
YAML
            cat >/data/postgres.yaml <<YAML
database:
  name: psycopg2
  args: { host: postgres, user: synapse, password: synapse, dbname: synapse, cp_min: 5, cp_max: 10 }
YAML
            python3 -c "
import yaml
config = yaml.safe_load(open(\"/data/homeserver.yaml\")) | yaml.safe_load(open(\"/data/postgres.yaml\"))
yaml.safe_dump(config, open(\"/data/homeserver-postgres.yaml\", \"w\"))
config[\"database\"] = {\"name\": \"sqlite3\", \"args\": {\"database\": \"/data/homeserver.db\"}}
yaml.safe_dump(config, open(\"/data/homeserver-sqlite.yaml\", \"w\"))"'
        server
        until docker exec "$NAME-postgres" pg_isready --host localhost --quiet; do sleep 0.2; done
        ;;
    move)
        docker rm --force "$NAME"
        tools '
            python3 -m synapse._scripts.update_synapse_database --run-background-updates \
                --database-config /data/homeserver-sqlite.yaml
            python3 -m synapse._scripts.synapse_port_db --sqlite-database /data/homeserver.db \
                --postgres-config /data/homeserver-postgres.yaml'
        server --config-path=/data/postgres.yaml
        ;;
esac
