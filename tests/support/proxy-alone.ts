import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { nginxConf } from "../../components/nginx/conf.ts";
import { PATHS } from "../../components/nginx/paths.ts";
import { NGINX_USER } from "../../components/nginx/user.ts";
import { ANNOUNCEMENT } from "../../components/synapse/announcement.ts";
import { docker, images, logs } from "./homeserver.ts";
import { ask, eventually } from "./http.ts";
import { freePorts } from "./ports.ts";
import { TestCa } from "./test-ca.ts";

/** One request as a {@link ProxyAlone}'s fake server got it. */
export interface Delivery {
    /** Seconds since 1970. */
    readonly at: number;
    readonly method: string;
    readonly path: string;
    readonly size: number;
    readonly digest: string;
}

interface ProxyAloneArgs {
    /** Whether nginx has no more than a bare `proxy_pass`, to compare with. */
    readonly plain?: boolean;
    readonly holdSeconds?: number;
    /** Seconds that the fake server takes to start. */
    readonly startSeconds?: number;
    readonly maxUploadSize?: string;
    /** MiB that nginx.conf is rendered for; the container has no limit. */
    readonly memory?: number;
}

/** The program's nginx.conf in a container of its own, before a server that only counts what reaches it. */
export class ProxyAlone {
    readonly #ca = new TestCa();
    readonly #folder = mkdtempSync(join(tmpdir(), "proxy-alone-"));
    readonly #name = `synapse-test-proxy-${randomBytes(3).toString("hex")}`;
    readonly #announcement = join(this.#folder, "announce", basename(ANNOUNCEMENT.file));
    readonly ca = this.#ca.pem;
    readonly port: number;
    /** Name of nginx's container. */
    readonly nginx = `${this.#name}-nginx`;
    /** Name of the fake server's container. */
    readonly synapse = this.#name;

    private constructor(port: number) {
        this.port = port;
    }

    static async start(args: ProxyAloneArgs = {}): Promise<ProxyAlone> {
        const [port = 0] = await freePorts(1);
        const proxy = new ProxyAlone(port);
        await proxy.#start(args);
        return proxy;
    }

    /** What a server does that is about to restart. */
    announce(): void {
        writeFileSync(this.#announcement, "");
    }

    /** What it does when it is back. */
    back(): void {
        rmSync(this.#announcement, { force: true });
    }

    /** Every request that reached the fake server, over all its starts; of a part of the path, if one is given. */
    async deliveries(part = ""): Promise<Delivery[]> {
        const lines = (await logs(this.synapse)).split("\n").map((line) => line.split(" "));
        return lines.flatMap(([at, method = "", path = "", size, digest = ""]) =>
            digest !== "" && path.includes(part)
                ? [{ at: Number(at), method, path, size: Number(size), digest }]
                : [],
        );
    }

    async remove(): Promise<void> {
        await docker("rm", "--force", "--volumes", this.nginx, this.synapse);
        await docker("network", "rm", this.#name);
        this.#ca.remove();
        rmSync(this.#folder, { recursive: true });
    }

    async #start({ startSeconds = 0, ...args }: ProxyAloneArgs) {
        const { synapse = "", nginx = "" } = images;
        await docker("network", "create", this.#name);
        const fake = join(import.meta.dirname, "fake-synapse.py");
        const limits = ["--memory", "192m", "--memory-swap", "192m", "--restart", "always"];
        await docker(
            ...["run", "--detach", "--name", this.synapse, "--network", this.#name],
            ...["--network-alias", "synapse", ...limits, "--volume", `${fake}:/fake.py:ro`],
            ...["--entrypoint", "python3", synapse, "/fake.py", String(startSeconds)],
        );
        this.#writeFiles(args);
        const mounts = (["stack", "certificates", "announce"] as const).flatMap((name) => [
            "--volume",
            `${join(this.#folder, name)}:${PATHS[name]}:ro`,
        ]);
        await docker(
            ...["run", "--detach", "--name", this.nginx, "--network", this.#name, "--user", NGINX_USER],
            ...["--publish", `127.0.0.1:${this.port}:443`, ...mounts],
            ...["--tmpfs", "/run:uid=101,gid=101", "--tmpfs", `${PATHS.buffer}:uid=101,gid=101`],
            ...["--entrypoint", "nginx", nginx, "-c", `${PATHS.stack}/nginx.conf`, "-g", "daemon off;"],
        );
        const answers = () => ask({ port: this.port, path: "/_matrix/client/versions", ca: this.ca });
        await eventually(30 + startSeconds, answers, ({ status }) => status === 200);
    }

    #writeFiles({
        plain = false,
        holdSeconds = 30,
        maxUploadSize = "50M",
        memory = 256,
    }: ProxyAloneArgs): void {
        const holdScript = readFileSync(new URL("../../components/nginx/hold.js", import.meta.url), "utf8");
        const { text } = nginxConf({
            publicHost: "localhost",
            httpsPort: this.port,
            federationPort: 8448,
            federation: "apart",
            wellKnown: { client: {}, server: {} },
            ipv6: false,
            maxUploadSize,
            profile: "intermediate",
            hsts: false,
            http3: true,
            acmeChallenges: false,
            holdSeconds,
            memory,
            holdScript,
            upstream: "synapse:8008",
            listen: { http: [80], https: [443], federation: [8448] },
        });
        const { cert, key } = this.#ca.issue("localhost");
        const files = {
            "stack/nginx.conf": plain ? PLAIN : text,
            "stack/hold.js": holdScript,
            "certificates/current/fullchain.pem": cert,
            "certificates/current/privkey.pem": key,
        };
        for (const folder of ["", "stack", "announce", "certificates", "certificates/current"]) {
            mkdirSync(join(this.#folder, folder), { recursive: true });
            // nginx reads them as another user.
            chmodSync(join(this.#folder, folder), 0o755);
        }
        for (const [name, content] of Object.entries(files)) {
            writeFileSync(join(this.#folder, name), content, { mode: 0o644 });
        }
    }
}

/** What nginx does by itself. */
const PLAIN = `
pid /run/nginx.pid;
error_log /dev/stderr crit;
worker_processes 2;
worker_rlimit_nofile 8192;
events {
    worker_connections 2048;
}
http {
    access_log off;
    client_max_body_size 50M;
    client_body_temp_path ${PATHS.buffer}/client_temp;
    resolver 127.0.0.11 valid=1s ipv6=off;
    upstream synapse {
        zone synapse 128k;
        server synapse:8008 resolve;
        keepalive 64;
    }
    server {
        listen 443 ssl;
        http2 on;
        ssl_certificate ${PATHS.certificates}/current/fullchain.pem;
        ssl_certificate_key ${PATHS.certificates}/current/privkey.pem;
        location / {
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_read_timeout 10m;
            proxy_pass http://synapse;
        }
    }
}
`;
