import { spawn } from "node:child_process";
import { docker, images } from "./homeserver.ts";
import { eventually } from "./http.ts";
import { TestCa } from "./test-ca.ts";

/** Its name on the network that it joins, and in its certificate. */
const HOST = "elsewhere";

/** With everything that means something in a password file, in a shell, in SQL and in libpq's own notation. */
const PASSWORD = `pass:w\\o'r"d $HOME %41 =`;

/** PostgreSQL that is none of the stack's: with TLS, its certificate from a CA of its own. */
export class OtherPostgres {
    readonly ca = new TestCa();
    readonly host = HOST;
    readonly password = PASSWORD;
    readonly #name: string;

    constructor(name: string) {
        this.#name = name;
    }

    /** Starts on a Docker network, with the role `synapse`. */
    async start(network: string): Promise<void> {
        const { cert, key } = this.ca.issue(HOST);
        const script = [
            'printf %s "$CERT" >/run/cert.pem',
            'printf %s "$KEY" >/run/key.pem',
            "chown 999:999 /run/cert.pem /run/key.pem && chmod 600 /run/key.pem",
            "exec docker-entrypoint.sh postgres -c ssl=on -c ssl_cert_file=/run/cert.pem -c ssl_key_file=/run/key.pem",
        ].join("\n");
        const environment = ["-e", `CERT=${cert}`, "-e", `KEY=${key}`, "-e", "POSTGRES_PASSWORD=of-the-test"];
        const place = ["--name", this.#name, "--network", network, "--network-alias", HOST];
        await docker(
            "run",
            "-d",
            ...place,
            ...environment,
            "--entrypoint",
            "bash",
            images.postgres ?? "",
            "-euc",
            script,
        );
        await eventually(
            60,
            () => docker("exec", this.#name, "pg_isready", "-h", "127.0.0.1"),
            (said) => said.includes("accepting"),
        );
        await this.psql("postgres", `CREATE ROLE synapse LOGIN PASSWORD $$${PASSWORD}$$`);
    }

    /** A database with what follows its name in CREATE DATABASE. */
    create(name: string, options: string): Promise<string> {
        return this.psql("postgres", `CREATE DATABASE ${name} ${options}`);
    }

    psql(database: string, query: string): Promise<string> {
        return docker(
            "exec",
            this.#name,
            ...["psql", "-U", "postgres", "-d", database, "-qtA", "-v", "ON_ERROR_STOP=1", "-c", query],
        );
    }

    /** Copies the data of the stack's own PostgreSQL to a database, as docs/database.md says. */
    async restore(database: string, dumpIn: string): Promise<void> {
        const dump = spawn("docker", ["exec", dumpIn, "pg_dump", "--format=custom", "--no-owner"], {
            stdio: ["ignore", "pipe", "inherit"],
        });
        const place = ["-e", `PGPASSWORD=${PASSWORD}`, "-i", this.#name];
        const restore = [
            "pg_restore",
            "--host=127.0.0.1",
            "--username=synapse",
            "--no-owner",
            "--exit-on-error",
        ];
        const into = spawn("docker", ["exec", ...place, ...restore, `--dbname=${database}`], {
            stdio: [dump.stdout, "inherit", "inherit"],
        });
        const code = await new Promise((resolve) => into.on("close", resolve));
        if (code !== 0) throw new Error(`pg_restore exited with ${String(code)}`);
    }

    /** One of its databases in libpq's own variables. */
    connection(name: string): Readonly<Record<string, string>> {
        return { PGHOST: HOST, PGDATABASE: name, PGPASSWORD: PASSWORD, PGSSLMODE: "require" };
    }

    /** The setting `database` that leads to one of its databases. */
    setting(name: string, more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
        const reached = { kind: "external", host: HOST, name, password: PASSWORD, ca: this.ca.file };
        return { database: { ...reached, moved: true, ...more } };
    }

    async remove(): Promise<void> {
        this.ca.remove();
        await docker("rm", "--force", "--volumes", this.#name);
    }
}
