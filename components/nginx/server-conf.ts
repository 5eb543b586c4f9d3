import type { NginxConfArgs } from "./conf-args.ts";
import { passOn } from "./forwarding-conf.ts";
import { headers } from "./headers-conf.ts";
import { holdAnnounced, holdErrors, holdLocations } from "./hold-conf.ts";
import { indent } from "./indent.ts";
import { listenPlainly, listenWithTls } from "./listen-conf.ts";
import { wellKnownLocations } from "./well-known.ts";

/** The server for clients and other servers: what they reach of Synapse, and what nginx answers itself. */
export function publicServer(args: NginxConfArgs): string {
    const listens = args.trustedProxies === undefined ? listenWithTls(args) : listenPlainly(args);
    return `server {
${indent(listens, 4)}
${indent(headers(args), 4)}
    client_max_body_size ${args.maxUploadSize};
    # 413 as Matrix clients read it, instead of a page.
    error_page 413 @too_large;

${indent(wellKnownLocations(args), 4)}
${args.federation === "off" ? indent(CLOSED_FEDERATION, 4) : ""}
    location ~ ^/(?:_matrix|_synapse/client)(?:/|$) {
        if ($forwarded = 0) {
            return 404;
        }
${indent(holdAnnounced(args), 8)}
${indent(passOn(args), 8)}
        # No path behind the name: with one, nginx would rewrite the URI, and signatures over it would not hold.
        proxy_pass http://synapse;
${indent(holdErrors(args), 8)}
    }
${indent(holdLocations(args), 4)}
    # The address that people are told: Synapse's own page says that the server runs.
    location = / {
        # By the way that they came: nginx would name its own port.
        absolute_redirect off;
        return 302 /_matrix/static/;
    }
    # The admin API above all.
    location / {
        return 404;
    }
    location @too_large {
        internal;
        default_type application/json;
        return 413 '{"errcode":"M_TOO_LARGE","error":"The upload is larger than this server allows (${args.maxUploadSize})"}';
    }
}`;
}

/** Synapse has no such resource either, so another way to write the path leads nowhere. */
const CLOSED_FEDERATION = `location ~ ^/_matrix/(?:federation|key)(?:/|$) {
    return 404;
}`;
