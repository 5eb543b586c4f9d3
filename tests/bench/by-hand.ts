import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { nginxConf, PATHS } from "../../components/nginx/conf.ts";
import { homeserverYaml, logConfig } from "../../components/synapse/homeserver.ts";
import { docker, finished, images } from "../support/homeserver.ts";
import { eventually } from "../support/http.ts";

/** Where the compared servers are published on this machine. */
export interface Ports {
    readonly http: number;
    readonly https: number;
    readonly federation: number;
    readonly synapse: number;
}

/** The same containers, started by docker commands one after the other: what the program is measured against. */
export class ByHand {
    readonly #name = `bench-${randomBytes(3).toString("hex")}`;
    readonly #ports: Ports;

    constructor(ports: Ports) {
        this.#ports = ports;
    }

    /** Returns when the last command has returned, or fails with what the commands printed. */
    async start(signal: AbortSignal): Promise<void> {
        const { http, https, federation, synapse } = this.#ports;
        const nginx = nginxConf({
            publicHost: "localhost",
            httpsPort: https,
            federationPort: federation,
            maxUploadSize: "50M",
            profile: "intermediate",
            hsts: false,
            http3: false,
            acmeChallenges: false,
            holdSeconds: 0,
            holdScript: "",
            upstream: "synapse:8008",
            listen: { http: [80], https: [443], federation: [8448] },
        });
        const environment = {
            NAME: this.#name,
            SYNAPSE_IMAGE: images.synapse,
            NGINX_IMAGE: images.nginx,
            HOMESERVER_YAML: homeserverYaml({
                serverName: "localhost",
                publicBaseUrl: `https://localhost:${https}/`,
                reportStats: false,
                maxUploadSize: "50M",
                front: "proxy",
                listen: { http: [8008], tls: [] },
                extraConfig: {},
            }),
            LOG_CONFIG: logConfig("INFO"),
            // A name that nginx itself resolves, once, as it starts: nothing watches it here.
            NGINX_CONF: nginx.text.replace(`include ${PATHS.upstream};`, "server synapse:8008;"),
            HTTP_PORT: String(http),
            HTTPS_PORT: String(https),
            FEDERATION_PORT: String(federation),
            SYNAPSE_PORT: String(synapse),
        };
        const child = spawn("sh", [`${import.meta.dirname}/by-hand.sh`], {
            env: { ...process.env, ...environment },
            stdio: ["ignore", "pipe", "pipe"],
            detached: true, // A group of its own, so that an interrupt ends the docker client, too.
        });
        const stop = () => child.pid !== undefined && process.kill(-child.pid, "SIGKILL");
        signal.addEventListener("abort", stop);
        const { code, printed } = await finished(child);
        signal.removeEventListener("abort", stop);
        signal.throwIfAborted();
        if (code !== 0) throw new Error(`the baseline's commands failed:\n${printed}`);
    }

    /** Removes all that {@link start} made, or has only just asked the engine for. */
    async remove(): Promise<void> {
        const filter = ["--quiet", "--filter", `label=${this.#name}`];
        const kinds: [list: string[], remove: string[]][] = [
            [
                ["ps", "--all"],
                ["rm", "--force", "--volumes"],
            ],
            [
                ["network", "ls"],
                ["network", "rm"],
            ],
            [
                ["volume", "ls"],
                ["volume", "rm"],
            ],
        ];
        const sweep = async () => {
            let left = 0;
            for (const [list, remove] of kinds) {
                const found = (await docker(...list, ...filter)).split("\n").filter((id) => id !== "");
                left += found.length;
                if (found.length > 0) await docker(...remove, ...found);
            }
            return left;
        };
        if ((await eventually(30, sweep, (left) => left === 0)) > 0)
            throw new Error(`something of ${this.#name} is left: docker ps --all`);
    }
}
