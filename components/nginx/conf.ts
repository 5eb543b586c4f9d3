import { createHash } from "node:crypto";
import type { NginxConfArgs } from "./conf-args.ts";
import { clientAddress, FORWARDED_MAP, upstream } from "./forwarding-conf.ts";
import { ORIGIN_MAPS } from "./headers-conf.ts";
import { holdModule, holdPreparation } from "./hold-conf.ts";
import { indent } from "./indent.ts";
import { REQUEST_LOG } from "./log-conf.ts";
import { PATHS } from "./paths.ts";
import { redirect } from "./redirect-conf.ts";
import { publicServer } from "./server-conf.ts";
import { tls } from "./tls-conf.ts";
import { wellKnownMaps } from "./well-known.ts";

/** nginx's own port for its health check, inside its container. */
const HEALTH_PORT = 8081;

const DIGEST_PLACE = "@digest@";

/**
 * The whole nginx.conf, and its digest, which nginx answers to whoever asks its health port for /configuration: so
 * one can tell whether a reload has taken it up. Clients and servers reach `/_matrix` and `/_synapse/client`, and
 * nothing else of Synapse.
 */
export function nginxConf(args: NginxConfArgs): { readonly text: string; readonly digest: string } {
    const text = render(args);
    const digest = createHash("sha256").update(text).update(args.holdScript).digest("hex").slice(0, 12);
    return { text: text.replace(DIGEST_PLACE, digest), digest };
}

function render(args: NginxConfArgs): string {
    return `${holdModule(args)}# Bounded, as the memory is: Synapse is one process and no faster behind more of them.
worker_processes 2;
pid /run/nginx.pid;
# From "error" on, messages quote requests with their query, in which access tokens can stand.
error_log /dev/stderr crit;
# A reload leaves the old workers to their long polls and uploads, but not for ever.
worker_shutdown_timeout 10m;
worker_rlimit_nofile 8192;

events {
    worker_connections 2048;
}

http {
    default_type application/octet-stream;
    server_tokens off;
    sendfile on;
    tcp_nodelay on;
    keepalive_timeout 75s;
    types_hash_max_size 2048;
    map_hash_bucket_size 128;

    # Every request is received whole before Synapse sees it, so that it can be sent again: small ones in memory.
    client_body_buffer_size 16k;
    client_body_temp_path ${PATHS.buffer}/client_temp;
    proxy_temp_path /var/cache/nginx/proxy_temp;
    fastcgi_temp_path /var/cache/nginx/fastcgi_temp;
    uwsgi_temp_path /var/cache/nginx/uwsgi_temp;
    scgi_temp_path /var/cache/nginx/scgi_temp;

${indent(REQUEST_LOG, 4)}

${indent(FORWARDED_MAP, 4)}

${indent(ORIGIN_MAPS, 4)}

${indent(wellKnownMaps(args), 4)}

${indent(upstream(args), 4)}

${indent(holdPreparation(args), 4)}
${indent(args.trustedProxies === undefined ? tls(args) : clientAddress(args.trustedProxies), 4)}

${indent(HEALTH, 4)}

${indent(redirect(args), 4)}
${indent(publicServer(args), 4)}
}
`;
}

const HEALTH = `server {
    listen 127.0.0.1:${HEALTH_PORT};
    access_log off;
    location = /configuration {
        default_type text/plain;
        return 200 "${DIGEST_PLACE}";
    }
    location / {
        return 404;
    }
}`;
