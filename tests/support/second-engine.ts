import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { eventually } from "./http.ts";

/** A Docker engine of a test's own, beside the machine's: to be killed. It needs root. */
export class SecondEngine {
    readonly #directory = mkdtempSync(join(tmpdir(), "engine-"));
    /** Value of `DOCKER_HOST`. */
    readonly host = `unix://${join(this.#directory, "docker.sock")}`;
    #dockerd: ChildProcess | undefined;

    /** Returns when it answers. */
    async start(): Promise<void> {
        const place = (name: string) => join(this.#directory, name);
        const child = spawn(
            "dockerd",
            [
                ...["--host", this.host, "--data-root", place("data"), "--exec-root", place("run")],
                ...["--pidfile", place("pid"), "--config-file", place("none.json")],
                // The machine's own engine has docker0, and its rules in the kernel, which are not to be touched.
                ...["--bridge", "none", "--iptables=false", "--ip-masq=false"],
            ],
            { stdio: "ignore" },
        );
        this.#dockerd = child;
        const alive = async () => {
            if (child.exitCode !== null) throw new Error(`dockerd exited with ${child.exitCode}`);
            return this.docker("version", "--format", "{{.Server.Version}}");
        };
        await eventually(60, alive, (version) => version !== "");
    }

    /** With SIGKILL, the engine alone: what it has started goes on, until it starts again. */
    async kill(): Promise<void> {
        const child = this.#dockerd;
        if (child?.exitCode !== null || child.signalCode !== null) return;
        const gone = new Promise((resolve) => child.on("exit", resolve));
        child.kill("SIGKILL");
        await gone;
        rmSync(join(this.#directory, "pid"), { force: true });
    }

    /** Hands it an image of the machine's engine. */
    async take(image: string): Promise<void> {
        const script = 'docker save "$IMAGE" | docker --host "$SECOND" load';
        const { DOCKER_HOST: _, ...environment } = process.env;
        await promisify(execFile)("sh", ["-euc", script], {
            env: { ...environment, IMAGE: image, SECOND: this.host },
        });
    }

    async docker(...args: string[]): Promise<string> {
        return (await promisify(execFile)("docker", ["--host", this.host, ...args])).stdout.trim();
    }

    /** Ends it politely, so that its containers end too, and removes all that it had. */
    async remove(): Promise<void> {
        const child = this.#dockerd;
        if (child && child.exitCode === null && child.signalCode === null) {
            const gone = new Promise((resolve) => child.on("exit", resolve));
            child.kill("SIGTERM");
            await gone;
        }
        rmSync(this.#directory, { recursive: true, force: true });
    }
}
