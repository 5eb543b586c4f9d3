import type { NginxConfArgs } from "./conf-args.ts";

/** Where clients find the server, `host:port`: without the port that is HTTPS's own, and without one that nobody knows. */
export function clientAuthority({ httpsPort, publicHost }: NginxConfArgs): string {
    return httpsPort === undefined || httpsPort === 443 ? publicHost : `${publicHost}:${httpsPort}`;
}
