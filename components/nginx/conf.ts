import { createHash } from "node:crypto";
import { regexQuoted } from "./quote.ts";
import { type WellKnownArgs, wellKnownLocations, wellKnownMap } from "./well-known.ts";

/** What nginx.conf is rendered from. */
export interface NginxConfArgs {
    /** Host name that clients connect to. */
    readonly publicHost: string;
    /** Port that clients connect to; undefined where Docker picks it. */
    readonly httpsPort: number | undefined;
    /** Port on the Docker host for other servers; undefined where Docker picks it. */
    readonly federationPort: number | undefined;
    /** Where other servers are served: on a port of their own, on that of the clients, or nowhere. */
    readonly federation: "apart" | "with clients" | "off";
    /** Whether clients come by IPv6, too. */
    readonly ipv6: boolean;
    /** What is added to the documents below /.well-known/matrix. */
    readonly wellKnown: WellKnownArgs;
    /** nginx's notation, the same as Synapse's: `50M`. */
    readonly maxUploadSize: string;
    /** Mozilla's TLS profile. */
    readonly profile: "intermediate" | "modern";
    /** Whether browsers are told to use HTTPS alone for this host, for two years. */
    readonly hsts: boolean;
    /** Whether to speak HTTP/3 beside HTTP/1.1 and 2. */
    readonly http3: boolean;
    /**
     * Whose X-Forwarded-For is believed, where proxies of the operator's speak TLS and pass plain HTTP on to
     * `listen.http`. Undefined: nginx speaks TLS; otherwise `profile`, `hsts` and `http3` say nothing.
     */
    readonly trustedProxies?: TrustedProxies | undefined;
    /** Whether a CA fetches certbot's answers to its challenges here. */
    readonly acmeChallenges: boolean;
    /** Seconds that a request waits for Synapse while that is away; 0 answers 502 at once. */
    readonly holdSeconds: number;
    /** MiB that nginx may have. */
    readonly memory: number;
    /** Text of the script that holds them; part of the digest. */
    readonly holdScript: string;
    /** Where Synapse is on the network: `host:port`. */
    readonly upstream: string;
    /** Ports inside the container to listen on, for each use. */
    readonly listen: {
        readonly http: readonly number[];
        readonly https: readonly number[];
        readonly federation: readonly number[];
    };
}

/** Proxies before nginx. */
export interface TrustedProxies {
    /** Addresses and networks, `10.0.0.0/8`. */
    readonly addresses: readonly string[];
    /** Whether that is also whatever connects from the Docker host itself. */
    readonly host: boolean;
}

/** Files and directories in nginx's container. */
export const PATHS = {
    /** `current/nginx.conf` and what it reads beside it. */
    stack: "/etc/nginx/stack",
    /** Request bodies that do not fit into memory. */
    buffer: "/buffer",
    certificates: "/etc/nginx/certificates",
    /** Where certbot puts its answers to challenges. */
    webroot: "/etc/nginx/webroot",
    /** Where Synapse announces its restarts. */
    announce: "/announce",
    /** What start.sh found: the address of the Docker host itself, as one to believe. */
    host: "/run/host.conf",
} as const;

/** What is there from when Synapse begins to restart until it answers again. */
const ANNOUNCEMENT = `${PATHS.announce}/restarting`;

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
    const authority =
        args.httpsPort === undefined || args.httpsPort === 443
            ? args.publicHost
            : `${args.publicHost}:${args.httpsPort}`;
    const holds = args.holdSeconds > 0;
    const encrypts = args.trustedProxies === undefined;
    return `${holds ? "load_module modules/ngx_http_js_module.so;\n" : ""}# Bounded, as the memory is: Synapse is one process and no faster behind more of them.
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

    # The path alone: access tokens can stand in a query.
    map $request_uri $request_path {
        default "";
        "~^(?<path>[^?]*)" $path;
    }
    log_format pathonly '$remote_addr - [$time_iso8601] "$request_method $request_path $server_protocol" '
                        '$status $body_bytes_sent $request_time';
    # In blocks: a write for each line, which Docker then takes apart, costs more than answering.
    access_log /dev/stdout pathonly buffer=32k flush=1s;

    # Synapse gets the path as it was sent, before nginx resolved its dots and escapes: so it is judged as sent, too.
    map $request_uri $forwarded {
        default 0;
        "~^[^?]*/\\.\\.?(?:/|\\?|$)" 0;
        "~^/(?:_matrix|_synapse/client)(?:/|\\?|$)" 1;
    }

    # Web pages of any origin may read what nginx itself answers to Matrix clients; Synapse says so for itself.
    map "$upstream_status $status $uri" $allow_origin {
        default "";
        "~^ [0-9]+ /\\.well-known/matrix/" "*";
        "~^ 413 " "*";
    }
    map $allow_origin $allow_methods {
        default "";
        "*" "GET, HEAD, OPTIONS";
    }
    map $allow_origin $allow_headers {
        default "";
        "*" "X-Requested-With, Content-Type, Authorization";
    }

    # Where Docker picked the port, only the client knows it.
    map $http_host $client_authority {
        default "${authority}";
${args.httpsPort === undefined ? `        "~^${regexQuoted(args.publicHost)}:[0-9]+$" $http_host;\n` : ""}    }
${indent(wellKnownMap(args), 4)}

    # Docker's own, which knows who is on the network. No AAAA: Synapse listens on IPv4.
    resolver 127.0.0.11 valid=1s ipv6=off;

    upstream synapse {
        # What the workers know of its address they share.
        zone synapse 128k;
        # Another container has another address, which is asked for each second.
        server ${args.upstream} resolve max_fails=0;
        keepalive 64;
        # Less than Synapse's own minute, which would close a connection as a request comes.
        keepalive_timeout 30s;
    }

${holds ? indent(holdPreparation(args), 4) : ""}
${indent(args.trustedProxies === undefined ? tls(args.profile) : clientAddress(args.trustedProxies), 4)}

    server {
        listen 127.0.0.1:${HEALTH_PORT};
        access_log off;
        location = /configuration {
            default_type text/plain;
            return 200 "${DIGEST_PLACE}";
        }
        location / {
            return 404;
        }
    }

${encrypts ? indent(redirect(args, authority), 4) : ""}
    server {
${indent(encrypts ? listenWithTls(args) : listen(args.ipv6, args.listen.http, "default_server"), 8)}
${indent(headers(args), 8)}
        client_max_body_size ${args.maxUploadSize};
        # 413 as Matrix clients read it, instead of a page.
        error_page 413 @too_large;

${indent(wellKnownLocations(args), 8)}
${args.federation === "off" ? indent(CLOSED_FEDERATION, 8) : ""}
        location ~ ^/(?:_matrix|_synapse/client)(?:/|$) {
            if ($forwarded = 0) {
                return 404;
            }
${holds ? indent(HOLD_ANNOUNCED, 12) : ""}
${indent(proxy(args, authority), 12)}
            # No path behind the name: with one, nginx would rewrite the URI, and signatures over it would not hold.
            proxy_pass http://synapse;
${holds ? indent(HOLD_ERRORS, 12) : ""}
        }
${holds ? indent(holdLocations(args, authority), 8) : ""}
        # The admin API above all.
        location / {
            return 404;
        }
        location @too_large {
            internal;
            default_type application/json;
            return 413 '{"errcode":"M_TOO_LARGE","error":"The upload is larger than this server allows (${args.maxUploadSize})"}';
        }
    }
}
`;
}

/** What plain HTTP is for where nginx speaks TLS. */
function redirect({ acmeChallenges, ipv6, listen: { http } }: NginxConfArgs, authority: string): string {
    return `server {
${indent(listen(ipv6, http, "default_server"), 4)}${acmeChallenges ? ACME_CHALLENGES : ""}
    location / {
        return 301 https://${authority}$request_uri;
    }
}
`;
}

const ACME_CHALLENGES = `
    location ^~ /.well-known/acme-challenge/ {
        default_type text/plain;
        root ${PATHS.webroot};
    }`;

/** Of a proxy that is believed, the last address that it names and that is not such a proxy's itself. */
function clientAddress({ addresses, host }: TrustedProxies): string {
    const trusted = addresses.map((address) => `set_real_ip_from ${address};`);
    return `${[...(host ? [`include ${PATHS.host};`] : []), ...trusted].join("\n")}
real_ip_header X-Forwarded-For;
real_ip_recursive on;`;
}

/** Synapse has no such resource either, so another way to write the path leads nowhere. */
const CLOSED_FEDERATION = `location ~ ^/_matrix/(?:federation|key)(?:/|$) {
    return 404;
}`;

function tls(profile: NginxConfArgs["profile"]): string {
    return `ssl_certificate ${PATHS.certificates}/current/fullchain.pem;
ssl_certificate_key ${PATHS.certificates}/current/privkey.pem;
${protocols(profile)}
# One cache for both ports, and no tickets: their key would undo forward secrecy.
ssl_session_cache shared:tls:10m;
ssl_session_timeout 1d;
ssl_session_tickets off;`;
}

/** https://ssl-config.mozilla.org, version 5.7; the order of ciphers is ours, which Mozilla leaves to the client. */
function protocols(profile: NginxConfArgs["profile"]): string {
    const curves = `ssl_ecdh_curve X25519:prime256v1:secp384r1;
# The server's order, except that a client without hardware AES gets ChaCha20 first.
ssl_prefer_server_ciphers on;
ssl_conf_command Options PrioritizeChaCha;`;
    if (profile === "modern") return `ssl_protocols TLSv1.3;\n${curves}`;
    const ciphers = [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
    ];
    return `ssl_protocols TLSv1.2 TLSv1.3;\nssl_ciphers ${ciphers.join(":")};\n${curves}`;
}

function listenWithTls({ http3, ipv6, listen: { https, federation } }: NginxConfArgs): string {
    return `${listen(ipv6, [...https, ...federation], "ssl default_server")}
${http3 ? listen(ipv6, https, "quic reuseport default_server") : ""}
http2 on;`;
}

function listen(ipv6: boolean, ports: readonly number[], options: string): string {
    // In a container without IPv6, nginx could not start with such an address.
    const addresses = ports.flatMap((port) => (ipv6 ? [`${port}`, `[::]:${port}`] : [`${port}`]));
    return addresses.map((address) => `listen ${address} ${options};`).join("\n");
}

/** All headers stand here: one in a location would drop these. An empty one is not sent. */
function headers({ hsts, http3, httpsPort, trustedProxies }: NginxConfArgs): string {
    const encrypts = trustedProxies === undefined;
    const stay = encrypts && hsts ? 'add_header Strict-Transport-Security "max-age=63072000" always;\n' : "";
    const alternative =
        encrypts && http3 ? `add_header Alt-Svc 'h3=":${httpsPort}"; ma=86400' always;\n` : "";
    return `${stay}${alternative}add_header X-Content-Type-Options nosniff always;
add_header Access-Control-Allow-Origin $allow_origin always;
add_header Access-Control-Allow-Methods $allow_methods always;
add_header Access-Control-Allow-Headers $allow_headers always;`;
}

function proxy({ trustedProxies }: NginxConfArgs, authority: string): string {
    // What comes from a proxy of the operator's came to it by TLS, whatever anybody says.
    const scheme = trustedProxies === undefined ? "$scheme" : "https";
    return `proxy_http_version 1.1;
proxy_set_header Connection "";
proxy_set_header Host ${authority};
# Set, not appended: Synapse believes the first address, which a client could have forged.
proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header X-Forwarded-Proto ${scheme};
# nginx itself would send a PUT again that broke a connection, whatever came of the first.
proxy_next_upstream off;
# Long polls.
proxy_read_timeout 10m;
proxy_send_timeout 10m;
# Large media is passed on at the client's pace, not through a temporary file.
proxy_max_temp_file_size 0;`;
}

/** Before anything of the request's body is read, and at the price of one look at a file. */
const HOLD_ANNOUNCED = `# Synapse is about to restart, and finishes what it has.
if (-f ${ANNOUNCEMENT}) {
    return 502;
}`;

/**
 * What error_page does in a location replaces what it does outside, so 413 is said again. Not 504: a Synapse that
 * takes its time is there, and works on the request.
 */
const HOLD_ERRORS = `error_page 413 @too_large;
error_page 502 = @hold;
recursive_error_pages on;`;

/** Requests held at once for each MiB of nginx's memory: each takes some 100 KB, and half is for all else. */
const HELD_PER_MIB = 4;

function holdPreparation({ holdSeconds, upstream }: NginxConfArgs): string {
    return `js_import hold.js;
limit_conn_zone "held" zone=held:32k;
js_shared_dict_zone zone=hold:32k timeout=60s type=number;
js_fetch_timeout 1s;
js_var $hold_seconds ${holdSeconds};
js_var $hold_probe http://${upstream}/health;
js_var $hold_announcement ${ANNOUNCEMENT};
js_var $hold_deadline;
js_var $hold_tries;
`;
}

function holdLocations(args: NginxConfArgs, authority: string): string {
    return `location @hold {
    limit_conn held ${HELD_PER_MIB * args.memory};
    error_page 503 @full;
    # A body of unknown length can turn out too large here.
    error_page 413 @too_large;
    recursive_error_pages on;
    js_content hold.hold;
}
location @full {
    internal;
    js_content hold.turnAway;
}
location @again {
    internal;
${indent(proxy(args, authority), 4)}
    proxy_pass http://synapse;
${indent(HOLD_ERRORS, 4)}
}`;
}

function indent(text: string, columns: number): string {
    const margin = " ".repeat(columns);
    return text
        .split("\n")
        .map((line) => (line === "" ? line : margin + line))
        .join("\n");
}
