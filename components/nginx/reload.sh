# Runs beside Pulumi, after nginx.conf has been replaced: a running nginx takes it up without a stop.
#   NGINX_CONTAINER   name of nginx's container
if [ "$(docker container inspect --format '{{.State.Status}}' "$NGINX_CONTAINER" 2>/dev/null)" = running ]; then
    docker exec "$NGINX_CONTAINER" nginx -s reload -c /etc/nginx/stack/nginx.conf
fi
