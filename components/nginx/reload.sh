#!/bin/sh
# Runs beside Pulumi, after nginx.conf has been replaced: a running nginx takes it up without a stop.
#   NGINX_CONTAINER   name of nginx's container
#   DIGEST            digest of the new nginx.conf, which nginx answers once it serves it
#   READS             what the new nginx.conf reads in the container: one without it is about to be replaced

serves_it() {
    [ "$(docker exec "$NGINX_CONTAINER" curl -fsS http://127.0.0.1:8081/configuration)" = "$DIGEST" ]
}

if [ "$(docker container inspect --format '{{.State.Status}}' "$NGINX_CONTAINER" 2>/dev/null)" = running ] &&
    docker exec "$NGINX_CONTAINER" test -e "$READS"; then
    docker exec "$NGINX_CONTAINER" nginx -q -s reload -c /etc/nginx/stack/current/nginx.conf
    tries=0
    # Twice, since the old workers take a moment to give up their ports.
    until serves_it && sleep 0.5 && serves_it; do
        tries=$((tries + 1))
        if [ "$tries" -gt 20 ]; then
            docker logs --tail 20 "$NGINX_CONTAINER" >&2
            # At its next start it must not take up by itself what this deployment is about to call failed.
            # shellcheck disable=SC2016  # for the shell in the container
            docker run --rm --network none --mount "type=volume,src=$TASK_MOUNT_0,dst=/stack" --entrypoint /bin/sh \
                "$TASK_IMAGE" -euc 'ln -sfn "$(readlink /stack/previous)" /stack/next && mv -T /stack/next /stack/current'
            echo "nginx has not taken up its new configuration and goes on with the old one; its log is above." >&2
            exit 1
        fi
        sleep 0.5
    done
fi
