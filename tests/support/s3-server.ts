import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ask, eventually } from "./http.ts";
import { freePorts } from "./ports.ts";

/** Where scripts/setup.sh builds it, with Go. */
const PROGRAM = join(import.meta.dirname, "../../.tools/versitygw/versitygw");

/** Whether there is an S3 server here to try. */
export const hasS3Server = existsSync(PROGRAM);

/** An S3 server, at an address of the Docker host that containers reach. */
export class S3Server {
    readonly access = "keeper";
    readonly secret = "a secret of the test's";
    readonly #folder = mkdtempSync(join(tmpdir(), "s3-"));
    readonly #address = bridgeAddress();
    readonly #port: number;
    #process: ChildProcess | undefined;

    private constructor(port: number) {
        this.#port = port;
        mkdirSync(join(this.#folder, "data"));
    }

    get repository(): string {
        return `s3:http://${this.#address}:${this.#port}/backups`;
    }

    get environment(): Readonly<Record<string, string>> {
        return { AWS_ACCESS_KEY_ID: this.access, AWS_SECRET_ACCESS_KEY: this.secret };
    }

    static async start(): Promise<S3Server> {
        const [port = 0] = await freePorts(1);
        const server = new S3Server(port);
        await server.open();
        return server;
    }

    /** Lets clients in, as when it is back after {@link close}. */
    async open(): Promise<void> {
        const address = `${this.#address}:${this.#port}`;
        const flags = [
            "--access",
            this.access,
            "--secret",
            this.secret,
            "--port",
            address,
            "--region",
            "us-east-1",
        ];
        const args = [...flags, "posix", "--nometa", join(this.#folder, "data")];
        this.#process = spawn(PROGRAM, args, { stdio: "ignore" });
        await eventually(
            20,
            () => ask({ address: this.#address, port: this.#port, path: "/" }),
            ({ status }) => status > 0,
        );
    }

    async close(): Promise<void> {
        const ending = this.#process;
        this.#process = undefined;
        if (ending === undefined) return;
        const ended = once(ending, "close");
        ending.kill("SIGKILL");
        await ended;
    }

    async stop(): Promise<void> {
        await this.close();
        rmSync(this.#folder, { recursive: true });
    }
}

function bridgeAddress(): string {
    const format = "{{range .IPAM.Config}}{{.Gateway}} {{.Subnet}}{{end}}";
    const args = ["network", "inspect", "bridge", "--format", format];
    const [gateway = "", subnet = ""] = execFileSync("docker", args).toString().trim().split(" ");
    // Some engines do not say it: then it is the first address.
    return gateway || subnet.replace(/\.0\/\d+$/, ".1");
}
