import type { NginxConfArgs } from "./conf-args.ts";

/** What {@link headers} says of itself, by request. */
export const ORIGIN_MAPS = `# Web pages of any origin may read what nginx itself answers to Matrix clients; Synapse says so for itself.
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
}`;

/** All headers stand here: one in a location would drop these. An empty one is not sent. */
export function headers({ hsts, http3, httpsPort, trustedProxies }: NginxConfArgs): string {
    const encrypts = trustedProxies === undefined;
    const stay = encrypts && hsts ? 'add_header Strict-Transport-Security "max-age=63072000" always;\n' : "";
    const alternative =
        encrypts && http3 ? `add_header Alt-Svc 'h3=":${httpsPort}"; ma=86400' always;\n` : "";
    return `${stay}${alternative}add_header X-Content-Type-Options nosniff always;
add_header Access-Control-Allow-Origin $allow_origin always;
add_header Access-Control-Allow-Methods $allow_methods always;
add_header Access-Control-Allow-Headers $allow_headers always;`;
}
