import { clientAuthority } from "./authority.ts";
import type { NginxConfArgs, TrustedProxies } from "./conf-args.ts";
import { PATHS } from "./paths.ts";

/** Which requests may be passed on. */
export const FORWARDED_MAP = `# Synapse gets the path as it was sent, before nginx resolved its dots and escapes: so it is judged as sent, too.
map $request_uri $forwarded {
    default 0;
    "~^[^?]*/\\.\\.?(?:/|\\?|$)" 0;
    "~^/(?:_matrix|_synapse/client)(?:/|\\?|$)" 1;
}`;

/** Where Synapse is. */
export function upstream(args: NginxConfArgs): string {
    return `# Docker's own, which knows who is on the network. No AAAA: Synapse listens on IPv4.
resolver 127.0.0.11 valid=1s ipv6=off;

upstream synapse {
    # What the workers know of its address they share.
    zone synapse 128k;
    # Another container has another address, which is asked for each second.
    server ${args.upstream} resolve max_fails=0;
    keepalive 64;
    # Less than Synapse's own minute, which would close a connection as a request comes.
    keepalive_timeout 30s;
}`;
}

/** Of a proxy that is believed, the last address that it names and that is not such a proxy's itself. */
export function clientAddress({ addresses, host }: TrustedProxies): string {
    const trusted = addresses.map((address) => `set_real_ip_from ${address};`);
    return `${[...(host ? [`include ${PATHS.host};`] : []), ...trusted].join("\n")}
real_ip_header X-Forwarded-For;
real_ip_recursive on;`;
}

/** How a request is passed on, in each location that does so. */
export function passOn(args: NginxConfArgs): string {
    // What comes from a proxy of the operator's came to it by TLS, whatever anybody says.
    const scheme = args.trustedProxies === undefined ? "$scheme" : "https";
    return `proxy_http_version 1.1;
proxy_set_header Connection "";
proxy_set_header Host ${clientAuthority(args)};
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
