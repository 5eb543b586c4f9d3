import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { docker, images } from "./homeserver.ts";
import { TestCa } from "./test-ca.ts";

/** Files in its container. */
const FOLDER = "/etc/nginx/outer";

/** A proxy as an operator has one on the Docker host: nginx, which speaks TLS for `localhost` and passes all on. */
export class OuterProxy {
    readonly #ca = new TestCa();
    readonly #folder = mkdtempSync(join(tmpdir(), "outer-proxy-"));
    readonly #name = `synapse-test-outer-${randomBytes(3).toString("hex")}`;
    /** What clients must trust, PEM. */
    readonly ca = this.#ca.pem;
    readonly port: number;
    readonly #upstreamPort: number;

    /** Both ports are of 127.0.0.1: its own, and the one that it passes requests on to. */
    constructor(port: number, upstreamPort: number) {
        this.port = port;
        this.#upstreamPort = upstreamPort;
    }

    async start(): Promise<void> {
        const { nginx = "" } = images;
        const { cert, key } = this.#ca.issue("localhost");
        const files = { "nginx.conf": this.#conf(), "cert.pem": cert, "key.pem": key };
        // nginx reads them as another user.
        chmodSync(this.#folder, 0o755);
        for (const [name, content] of Object.entries(files))
            writeFileSync(join(this.#folder, name), content, { mode: 0o644 });
        await docker(
            ...["run", "--detach", "--name", this.#name, "--network", "host", "--user", "101:101"],
            ...["--volume", `${this.#folder}:${FOLDER}:ro`, "--entrypoint", "nginx", nginx],
            ...["-c", `${FOLDER}/nginx.conf`, "-g", "daemon off;"],
        );
    }

    async remove(): Promise<void> {
        await docker("rm", "--force", "--volumes", this.#name);
        this.#ca.remove();
        rmSync(this.#folder, { recursive: true });
    }

    /** As docs/proxy.md has it, but that it passes on what clients say of themselves, and says that they came by http. */
    #conf(): string {
        const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        return `
pid /tmp/nginx.pid;
error_log /dev/stderr warn;
events {}
http {
    access_log off;
${temporary.map((kind) => `    ${kind}_temp_path /tmp/${kind};`).join("\n")}
    server {
        listen 127.0.0.1:${this.port} ssl;
        ssl_certificate ${FOLDER}/cert.pem;
        ssl_certificate_key ${FOLDER}/key.pem;
        client_max_body_size 50M;
        location / {
            proxy_pass http://127.0.0.1:${this.#upstreamPort};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto http;
            proxy_read_timeout 10m;
        }
    }
}
`;
    }
}
