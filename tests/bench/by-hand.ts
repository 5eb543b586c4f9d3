import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { nginxConf } from "../../components/nginx/conf.ts";
import { homeserverYaml, logConfig } from "../../components/synapse/homeserver.ts";
import { readSettings } from "../../settings/read.ts";
import { images } from "../support/homeserver.ts";
import { removeLabelled, run } from "./commands.ts";

const HOLD_SCRIPT = `${import.meta.dirname}/../../components/nginx/hold.js`;

/** What the program is measured with, but for its ports. */
const DEFAULTS = readSettings("bench", { serverName: "localhost", tls: '{"mode":"files"}' }, () => false);

/** Where the compared servers are published on this machine. */
export interface Ports {
    readonly http: number;
    readonly https: number;
    readonly federation: number;
    readonly synapse: number;
}

/** The same containers, started by docker commands one after the other: what the program is measured against. */
export class ByHand {
    /** Name of Synapse's container. */
    readonly name = `bench-${randomBytes(3).toString("hex")}`;
    readonly #ports: Ports;

    constructor(ports: Ports) {
        this.#ports = ports;
    }

    /** Returns when the last command has returned, or fails with what the commands printed. */
    async start(signal: AbortSignal): Promise<void> {
        const { http, https, federation, synapse } = this.#ports;
        const { holdSeconds, logLevel, maxUploadSize, memory } = DEFAULTS;
        const holdScript = readFileSync(HOLD_SCRIPT, "utf8");
        const nginx = nginxConf({
            publicHost: "localhost",
            httpsPort: https,
            federationPort: federation,
            federation: "apart",
            wellKnown: { client: {}, server: {} },
            ipv6: false,
            maxUploadSize,
            profile: "intermediate",
            hsts: false,
            http3: false,
            acmeChallenges: false,
            holdSeconds,
            memory: memory.nginx,
            holdScript,
            upstream: "synapse:8008",
            listen: { http: [80], https: [443], federation: [8448] },
        });
        const environment = {
            NAME: this.name,
            SYNAPSE_IMAGE: images.synapse,
            NGINX_IMAGE: images.nginx,
            HOMESERVER_YAML: homeserverYaml({
                database: undefined,
                serverName: "localhost",
                publicBaseUrl: `https://localhost:${https}/`,
                reportStats: false,
                maxUploadSize,
                mediaRetention: { remote: "90d", local: "off" },
                front: "proxy",
                listen: { http: [8008], tls: [] },
                federation: { enabled: true },
                ipv6: false,
                wellKnown: { client: {} },
                extraConfig: {},
            }),
            LOG_CONFIG: logConfig(logLevel),
            NGINX_CONF: nginx.text,
            HOLD_JS: holdScript,
            SYNAPSE_MEMORY: String(memory.synapse),
            NGINX_MEMORY: String(memory.nginx),
            HTTP_PORT: String(http),
            HTTPS_PORT: String(https),
            FEDERATION_PORT: String(federation),
            SYNAPSE_PORT: String(synapse),
        };
        await run(["sh", `${import.meta.dirname}/by-hand.sh`], environment, signal);
    }

    /** Removes all that {@link start} made. */
    remove(): Promise<void> {
        return removeLabelled(this.name);
    }
}
