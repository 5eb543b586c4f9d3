import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { layoutOf } from "../../components/postgres/layout.ts";
import { docker, images } from "./homeserver.ts";

/** Changes a script before it is run. */
export type Change = (text: string) => string;

/** Variables that a script reads. */
export type Variables = Readonly<Record<string, string>>;

/** How a script ended. */
export interface Ended {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
}

const same: Change = (text) => text;
const read = (file: string) =>
    readFileSync(new URL(`../../components/postgres/${file}`, import.meta.url), "utf8");

/** All that the runs of this directory are made of. */
const SCRIPTS = {
    initialize: read("initialize.sh"),
    upgrade: read("upgrade.sh"),
    cluster: read("cluster.sh"),
};

/** A script's first process cannot kill itself, and has no last words; any other one has. */
const KILLED = "{ [ $$ = 1 ] || kill -9 $$; exit 137; }";

/**
 * Ends a script, or the functions that stand before it, at one of its steps. The end of its first process takes
 * everything else in a container with it, as a kill does.
 */
export function endedAt(step: string, script: "initialize" | "upgrade" = "initialize"): Change {
    const found = (SCRIPTS[script] + SCRIPTS.cluster).split(step).length - 1;
    assert.equal(found, 1, `${step} stands there once`);
    return (text) => text.replace(step, () => `${KILLED}; ${step}`);
}

/** The volumes of a PostgreSQL server, and the runs that fill them, without a server of Matrix's. */
export class PostgresPlace {
    readonly prefix: string;
    #image = images.postgres ?? "";

    constructor(prefix: string) {
        this.prefix = prefix;
    }

    /** Name of the container that {@link serve} starts. */
    get server(): string {
        return `${this.prefix}-server`;
    }

    /** As its task runs it. */
    initialize(
        major: number,
        change: Change = same,
        more: Variables = {},
        image = this.#image,
    ): Promise<Ended> {
        const network = ["--network=none"];
        return this.#run(major, image, "initialize", change, network, ["CHOWN", "SETUID", "SETGID"], more);
    }

    /** As its task runs it. */
    upgrade(from: number, to: number, change: Change = same, more: Variables = {}): Promise<Ended> {
        const libpq = {
            PGHOST: "postgres",
            PGPORT: "5432",
            PGDATABASE: "synapse",
            PGUSER: "synapse",
            PGSSLMODE: "disable",
            PGPASSFILE: "/database/postgres.pgpass",
        };
        const variables = {
            ...libpq,
            CHECKED: `upgrade ${from}`,
            PATIENCE: "30",
            MAINTENANCE_MIB: "64",
            ...more,
        };
        const capabilities = ["DAC_READ_SEARCH", "SETUID", "SETGID"];
        const network = [`--network=${this.prefix}`];
        return this.#run(to, this.#image, "upgrade", change, network, capabilities, variables);
    }

    /** Starts a server of a major, as its container would. */
    async serve(major: number, image = this.#image): Promise<void> {
        const { data, mount } = layoutOf(major);
        await docker("network", "inspect", this.prefix).catch(() => docker("network", "create", this.prefix));
        // Of the folder's own pg_hba.conf, which the real server's takes the place of.
        const rule = `grep -q '^host synapse' ${data}/pg_hba.conf || echo 'host synapse synapse all scram-sha-256' >>${data}/pg_hba.conf`;
        await docker(
            "run",
            ...["-d", "--name", this.server, "--network", this.prefix, "--network-alias", "postgres"],
            ...["--user", "999:999", "-v", `${this.prefix}-postgres:${mount}`, "--entrypoint", "sh", image],
            ...["-euc", `${rule}; exec postgres -D ${data} -c 'listen_addresses=*' -c max_wal_size=64MB`],
        );
    }

    /** Asks that server as its superuser. */
    psql(query: string): Promise<string> {
        const connection = ["-h", "/var/run/postgresql", "-U", "postgres", "-d", "synapse"];
        return docker("exec", this.server, "psql", ...connection, "-v", "ON_ERROR_STOP=1", "-qtAc", query);
    }

    stop(): Promise<string> {
        return docker("rm", "--force", this.server);
    }

    /** What a shell prints that may do anything on the data volume, and on the server's at /data. */
    shell(script: string): Promise<string> {
        const { mount } = layoutOf(17);
        const volumes = ["-v", `${this.prefix}-postgres:${mount}`, "-v", `${this.prefix}-data:/data`];
        return docker("run", "--rm", ...volumes, "--entrypoint=sh", this.#image, "-euc", script);
    }

    async remove(): Promise<void> {
        await this.stop();
        const volumes = ["postgres", "database", "data"].map((volume) => `${this.prefix}-${volume}`);
        await docker("volume", "rm", "--force", ...volumes);
        await docker("network", "rm", this.prefix).catch(() => undefined);
    }

    #run(
        major: number,
        image: string,
        script: "initialize" | "upgrade",
        change: Change,
        network: readonly string[],
        capabilities: readonly string[],
        more: Variables,
    ): Promise<Ended> {
        const { mount } = layoutOf(major);
        const environment = {
            MOUNT: mount,
            MAJOR: String(major),
            UPGRADE: "no",
            OWNER: "999:999",
            SERVER_USER: "991:991",
            READERS: "postgres=999:999\nsynapse=991:991",
            COPIED: "/data/.postgres-copied",
            SETTLING: "/data/.postgres-settling",
            LOCK: "/data/.moving.lock",
            CLUSTER: change(SCRIPTS.cluster),
            DBNAME: "synapse",
            ROLE: "synapse",
            ...more,
        };
        const confined = [
            "--read-only",
            "--cap-drop=ALL",
            "--security-opt=no-new-privileges",
            "--tmpfs=/tmp:size=64m",
        ];
        const volumes = { postgres: mount, database: "/database", data: "/data" };
        return promisify(execFile)("docker", [
            ...["run", "--rm", "--user=0:0", ...network, ...confined],
            ...capabilities.map((name) => `--cap-add=${name}`),
            ...Object.entries(volumes).flatMap(([volume, path]) => [
                "-v",
                `${this.prefix}-${volume}:${path}`,
            ]),
            ...Object.entries(environment).flatMap((variable) => ["-e", variable.join("=")]),
            ...["--entrypoint=/bin/sh", image, "-euc", change(SCRIPTS[script])],
        ]).then(
            ({ stdout, stderr }) => ({ code: 0, stdout: stdout.trim(), stderr }),
            ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
                code,
                stdout: stdout.trim(),
                stderr,
            }),
        );
    }
}
