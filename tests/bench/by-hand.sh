#!/bin/sh
# The same two servers as a person's own script would start them: one docker command after the other, with the same
# images, configuration and restrictions, and nothing waited for, checked or verified.
#   NAME                                    prefix of the Docker objects, and the label that all of them carry
#   SYNAPSE_IMAGE, NGINX_IMAGE
#   HOMESERVER_YAML, LOG_CONFIG, NGINX_CONF, HOLD_JS   the files' contents
#   SYNAPSE_MEMORY, NGINX_MEMORY            limits in MiB
#   SYNAPSE_PORT, HTTP_PORT, HTTPS_PORT, FEDERATION_PORT
set -eu

restricted() {
    docker run --label "$NAME" --read-only --cap-drop ALL --security-opt no-new-privileges "$@"
}

docker network create --label "$NAME" "$NAME"
for volume in data config buffer certificates; do docker volume create --label "$NAME" "$NAME-$volume"; done

docker run --rm --label "$NAME" --network none --volume "$NAME-data:/data" \
    --env SYNAPSE_SERVER_NAME=localhost --env SYNAPSE_REPORT_STATS=no "$SYNAPSE_IMAGE" generate

docker run --rm --label "$NAME" --network none --volume "$NAME-certificates:/certificates" \
    --entrypoint /bin/sh "$NGINX_IMAGE" -euc '
        mkdir /certificates/current
        cd /certificates/current
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost \
            -addext subjectAltName=DNS:localhost -keyout privkey.pem -out fullchain.pem
        chown 101:101 privkey.pem'

docker run --rm --label "$NAME" --network none --volume "$NAME-config:/config" \
    --volume "$NAME-buffer:/disk" --env HOMESERVER_YAML --env LOG_CONFIG --env NGINX_CONF --env HOLD_JS \
    --entrypoint /bin/sh "$NGINX_IMAGE" -euc '
        cd /config
        printf %s "$HOMESERVER_YAML" >homeserver.yaml
        printf %s "$LOG_CONFIG" >log.config
        printf %s "$NGINX_CONF" >nginx.conf
        printf %s "$HOLD_JS" >hold.js
        mkdir /disk/client_temp
        chown 101:101 /disk/client_temp'

restricted --detach --name "$NAME" --network "$NAME" --network-alias synapse --restart unless-stopped \
    --user 991:991 --memory "${SYNAPSE_MEMORY}m" --memory-swap "${SYNAPSE_MEMORY}m" --log-opt max-size=10m --log-opt max-file=5 \
    --tmpfs /tmp:rw,size=264m,uid=991,gid=991 --publish "127.0.0.1:$SYNAPSE_PORT:8008" \
    --volume "$NAME-data:/data" --volume "$NAME-config:/config:ro" "$SYNAPSE_IMAGE" run \
    -m synapse.app.homeserver --config-path=/data/homeserver.yaml --config-path=/config/homeserver.yaml

restricted --detach --name "$NAME-nginx" --network "$NAME" --restart unless-stopped \
    --user 101:101 --memory "${NGINX_MEMORY}m" --memory-swap "${NGINX_MEMORY}m" --log-opt max-size=10m --log-opt max-file=5 \
    --tmpfs /run:rw,size=4m,uid=101,gid=101 --tmpfs /var/cache/nginx:rw,size=4m,uid=101,gid=101 \
    --publish "127.0.0.1:$HTTP_PORT:80" --publish "127.0.0.1:$HTTPS_PORT:443" \
    --publish "127.0.0.1:$FEDERATION_PORT:8448" \
    --volume "$NAME-config:/config:ro" --volume "$NAME-certificates:/etc/nginx/certificates:ro" \
    --volume "$NAME-buffer:/buffer" \
    --entrypoint nginx "$NGINX_IMAGE" -c /config/nginx.conf -g 'daemon off;'
