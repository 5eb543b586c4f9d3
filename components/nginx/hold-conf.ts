import type { NginxConfArgs } from "./conf-args.ts";
import { passOn } from "./forwarding-conf.ts";
import { indent } from "./indent.ts";
import { ANNOUNCEMENT, MAINTENANCE } from "./paths.ts";

/** How requests wait while Synapse is away, by hold.js. With no seconds to hold, each of these parts is empty. */

/** Requests held at once for each MiB of nginx's memory: each takes some 100 KB, and half is for all else. */
const HELD_PER_MIB = 4;

export function holdModule(args: NginxConfArgs): string {
    return holds(args) ? "load_module modules/ngx_http_js_module.so;\n" : "";
}

export function holdPreparation(args: NginxConfArgs): string {
    if (!holds(args)) return "";
    return `js_import hold.js;
limit_conn_zone "held" zone=held:32k;
js_shared_dict_zone zone=hold:32k timeout=60s type=number;
js_fetch_timeout 1s;
js_var $hold_seconds ${args.holdSeconds};
js_var $hold_probe http://${args.upstream}/health;
js_var $hold_announcement ${ANNOUNCEMENT};
js_var $hold_maintenance ${MAINTENANCE};
js_var $hold_deadline;
js_var $hold_tries;
`;
}

/** Before anything of the request's body is read, and at the price of one look at a file. */
export function holdAnnounced(args: NginxConfArgs): string {
    if (!holds(args)) return "";
    return `# Synapse is about to restart, and finishes what it has.
if (-f ${ANNOUNCEMENT}) {
    return 502;
}`;
}

/**
 * What error_page does in a location replaces what it does outside, so 413 is said again. Not 504: a Synapse that
 * takes its time is there, and works on the request.
 */
export function holdErrors(args: NginxConfArgs): string {
    if (!holds(args)) return "";
    return `error_page 413 @too_large;
error_page 502 = @hold;
recursive_error_pages on;`;
}

export function holdLocations(args: NginxConfArgs): string {
    if (!holds(args)) return "";
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
${indent(passOn(args), 4)}
    proxy_pass http://synapse;
${indent(holdErrors(args), 4)}
}`;
}

function holds({ holdSeconds }: NginxConfArgs): boolean {
    return holdSeconds > 0;
}
