import { randomBytes } from "node:crypto";
import { docker, images } from "../support/homeserver.ts";
import { eventually } from "../support/http.ts";
import { get } from "./probe.ts";

/** What somebody writes who wants a proxy and nothing more: what passing through the program's is measured against. */
const CONF = `
user nginx;
worker_processes auto;
events {}
http {
    access_log off;
    server {
        listen 443 ssl;
        http2 on;
        ssl_certificate /etc/nginx/certificates/current/fullchain.pem;
        ssl_certificate_key /etc/nginx/certificates/current/privkey.pem;
        location / {
            proxy_pass http://synapse:8008;
            proxy_set_header Host $host;
        }
    }
}
`;

/** An nginx with {@link CONF} beside a server's own, with the same certificate, before the same Synapse. */
export class BareNginx {
    readonly #name = `bench-${randomBytes(3).toString("hex")}`;

    /** @param server prefix of the server's Docker objects. */
    async start(server: string, port: number): Promise<void> {
        await docker(
            ...["run", "--detach", "--name", this.#name, "--network", server],
            ...["--volumes-from", `${server}-nginx:ro`, "--publish", `127.0.0.1:${port}:443`],
            ...["--env", `CONF=${CONF}`, "--entrypoint", "/bin/sh", images.nginx ?? ""],
            ...[
                "-euc",
                "printf %s \"$CONF\" >/tmp/nginx.conf; exec nginx -c /tmp/nginx.conf -g 'daemon off;'",
            ],
        );
        await eventually(
            30,
            () => get(port).catch(() => undefined),
            (status) => status === 200,
        );
    }

    async remove(): Promise<void> {
        await docker("rm", "--force", this.#name);
    }
}
