import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { ensureBase } from "../../images/debian.ts";
import { eventsOf } from "../../images/docker.ts";
import { baseTag, hashOfFolder } from "../../images/recipes.ts";
import { docker } from "./homeserver.ts";

const FOLDER = join(import.meta.dirname, "../live/fixtures/sshd");

/** An ssh server in a container, for repositories by sftp. */
export class SftpServer {
    readonly container: string;
    readonly privateKey: string;
    /** Of its own key, under its name on the network. */
    readonly #publicKey: string;

    private constructor(container: string, privateKey: string, publicKey: string) {
        this.container = container;
        this.privateKey = privateKey;
        this.#publicKey = publicKey;
    }

    get repository(): string {
        return `sftp:keeper@${this.container}:/home/keeper/kept/repository`;
    }

    get knownHosts(): string {
        return `${this.container} ${this.#publicKey}`;
    }

    /** On a network that is there. */
    static async start(container: string, network: string): Promise<SftpServer> {
        const folder = mkdtempSync(join(tmpdir(), "keys-"));
        const [host, user] = ["host", "user"].map((name) => {
            const file = join(folder, name);
            execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", file]);
            return { secret: readFileSync(file, "utf8"), open: readFileSync(`${file}.pub`, "utf8").trim() };
        });
        rmSync(folder, { recursive: true });
        const environment = [`HOST_KEY=${host?.secret}`, `AUTHORIZED=${user?.open}`];
        const options = ["--detach", "--name", container, "--network", network];
        await docker("run", ...options, ...environment.flatMap((value) => ["--env", value]), await image());
        return new SftpServer(container, user?.secret ?? "", host?.open ?? "");
    }

    async stop(): Promise<void> {
        await docker("rm", "--force", this.container);
    }
}

async function image(): Promise<string> {
    const engine = new Docker();
    await ensureBase(engine, () => undefined);
    const tag = `synapse-equivalent-test/sshd:${hashOfFolder(FOLDER, baseTag())}`;
    const source = { context: FOLDER, src: ["Dockerfile", "start.sh"] };
    const events = await engine.buildImage(source, {
        t: tag,
        networkmode: "host",
        buildargs: { BASE: baseTag() },
    });
    for await (const { error } of eventsOf(events)) if (error !== undefined) throw new Error(error);
    return tag;
}
