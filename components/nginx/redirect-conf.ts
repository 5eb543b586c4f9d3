import { clientAuthority } from "./authority.ts";
import type { NginxConfArgs } from "./conf-args.ts";
import { indent } from "./indent.ts";
import { listenPlainly } from "./listen-conf.ts";
import { PATHS } from "./paths.ts";

/** What plain HTTP is for where nginx speaks TLS; nothing where it does not. */
export function redirect(args: NginxConfArgs): string {
    if (args.trustedProxies !== undefined) return "";
    return `server {
${indent(listenPlainly(args), 4)}${args.acmeChallenges ? ACME_CHALLENGES : ""}
    location / {
        return 301 https://${clientAuthority(args)}$request_uri;
    }
}
`;
}

const ACME_CHALLENGES = `
    location ^~ /.well-known/acme-challenge/ {
        default_type text/plain;
        root ${PATHS.webroot};
    }`;
