import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./http.ts";
import { freePorts } from "./ports.ts";

/** How a {@link Pebble} differs from its defaults. */
export interface PebbleArgs {
    /** Port of this machine on which it asks for answers to http-01 challenges. */
    readonly httpPort: number;
    /** Seconds that its certificates are valid: where it knows profiles, only those of the profile `shortlived`. */
    readonly shortValidity?: number;
    /** External accounts that it insists on: key id → MAC key in base64url. */
    readonly externalAccounts?: Readonly<Record<string, string>>;
}

const DAY = 86_400;

/** The newest, where scripts/setup.sh could build it; Debian's knows no profiles. */
const BUILT = join(import.meta.dirname, "../../.tools/pebble/pebble");

/** Whether the pebble here offers the profile `shortlived`. */
export const hasProfiles = existsSync(BUILT);
const PROGRAM = existsSync(BUILT) ? BUILT : "pebble";

/**
 * An ACME server for tests: Let's Encrypt's pebble, with a DNS of its own in which every name leads to this machine.
 * Containers reach both at an address of the Docker host.
 */
export class Pebble {
    /** URL of the ACME directory. */
    readonly directory: string;
    /** CA of the directory's own certificate, PEM. */
    readonly caBundle: string;
    /** Where TXT records are set: URL of pebble-challtestsrv's management interface. */
    readonly dns: string;
    /** Everything that pebble has said. */
    log = "";
    readonly #address = bridgeAddress();
    readonly #folder = mkdtempSync(join(tmpdir(), "pebble-"));
    readonly #ports: Readonly<Record<"api" | "inner" | "management" | "dns" | "dnsManagement", number>>;
    readonly #processes: ChildProcess[] = [];
    readonly #sockets = new Set<Socket>();
    #door: Server | undefined;

    private constructor(args: PebbleArgs, ports: readonly number[]) {
        const [api = 0, inner = 0, management = 0, dns = 0, dnsManagement = 0] = ports;
        this.#ports = { api, inner, management, dns, dnsManagement };
        const host = this.#address;
        this.directory = `https://${host}:${api}/dir`;
        this.dns = `http://${host}:${dnsManagement}`;
        this.caBundle = this.#issueOwnCertificate(host);
        const config = {
            pebble: {
                listenAddress: `127.0.0.1:${inner}`,
                managementListenAddress: `127.0.0.1:${management}`,
                certificate: join(this.#folder, "api.pem"),
                privateKey: join(this.#folder, "api.key"),
                httpPort: args.httpPort,
                tlsPort: 1,
                ocspResponderURL: "",
                certificateValidityPeriod: args.shortValidity ?? 90 * DAY,
                profiles: {
                    default: { description: "The default", validityPeriod: 90 * DAY },
                    // With more than one it picks any for who asks for none.
                    ...(args.shortValidity !== undefined && {
                        shortlived: { description: "Short", validityPeriod: args.shortValidity },
                    }),
                },
                // How long a client is told to wait before it asks again.
                retryAfter: { authz: 1, order: 1 },
                externalAccountBindingRequired: args.externalAccounts !== undefined,
                ...(args.externalAccounts && { externalAccountMACKeys: args.externalAccounts }),
            },
        };
        writeFileSync(join(this.#folder, "pebble.json"), JSON.stringify(config));
    }

    static async start(args: PebbleArgs): Promise<Pebble> {
        const pebble = new Pebble(args, await freePorts(5));
        try {
            await pebble.#start();
        } catch (error) {
            await pebble.stop();
            throw error;
        }
        return pebble;
    }

    async #start(): Promise<void> {
        await this.#run("pebble-challtestsrv", [
            ...["-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dns01", `127.0.0.1:${this.#ports.dns}`],
            ...["-http01", "", "-https01", "", "-tlsalpn01", ""],
            ...["-management", new URL(this.dns).host],
        ]);
        const config = join(this.#folder, "pebble.json");
        const dns = `127.0.0.1:${this.#ports.dns}`;
        const said = await this.#run(PROGRAM, ["-config", config, "-dnsserver", dns]);
        for (const stream of [said.stdout, said.stderr])
            stream?.on("data", (chunk) => (this.log += String(chunk)));
        await this.open();
        await eventually(
            20,
            () => this.root(),
            (root) => root.includes("BEGIN CERTIFICATE"),
        );
    }

    /** How many orders it was ever given. */
    get orders(): number {
        return this.log.match(/Added order/g)?.length ?? 0;
    }

    /** The root of the certificates that it issues, PEM. */
    root(): Promise<string> {
        return this.#get(`https://127.0.0.1:${this.#ports.management}/roots/0`);
    }

    #get(url: string): Promise<string> {
        return new Promise((resolve, reject) => {
            // ACME insists on a user agent.
            const headers = { "User-Agent": "tests" };
            const sent = request(url, { rejectUnauthorized: false, agent: false, headers }, (response) => {
                let body = "";
                response.on("data", (chunk) => (body += String(chunk)));
                response.on("end", () => resolve(body));
            });
            sent.on("error", reject).end();
        });
    }

    /** File with the root, for NODE_EXTRA_CA_CERTS. */
    async rootFile(): Promise<string> {
        const file = join(this.#folder, "root.pem");
        writeFileSync(file, await this.root());
        return file;
    }

    /** Lets clients in, as when it is back after {@link close}. */
    async open(): Promise<void> {
        const door = createServer((client) => {
            const inner = connect(this.#ports.inner, "127.0.0.1");
            for (const socket of [client, inner]) {
                this.#sockets.add(socket);
                socket.on("error", () => undefined);
                socket.on("close", () => {
                    this.#sockets.delete(socket);
                    client.destroy();
                    inner.destroy();
                });
            }
            client.pipe(inner).pipe(client);
        });
        await new Promise<void>((resolve, reject) => {
            door.on("error", reject).listen(this.#ports.api, this.#address, resolve);
        });
        this.#door = door;
    }

    /** Answers nobody any more, and forgets nothing. */
    async close(): Promise<void> {
        const door = this.#door;
        this.#door = undefined;
        for (const socket of this.#sockets) socket.destroy();
        if (door) await new Promise((resolve) => door.close(resolve));
    }

    async stop(): Promise<void> {
        await this.close();
        for (const child of this.#processes) child.kill("SIGKILL");
        rmSync(this.#folder, { recursive: true });
    }

    async #run(program: string, args: readonly string[]): Promise<ChildProcess> {
        const child = spawn(program, args, {
            // Neither made-up failures nor made-up slowness.
            env: { ...process.env, PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "0" },
            stdio: ["ignore", "pipe", "pipe"],
        });
        this.#processes.push(child);
        for (const stream of [child.stdout, child.stderr]) stream.resume();
        await once(child, "spawn");
        return child;
    }

    /** Returns the CA that has issued it. */
    #issueOwnCertificate(host: string): string {
        const openssl = (args: string) =>
            execFileSync("openssl", args.split(" "), { cwd: this.#folder, stdio: "pipe" });
        const ec = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        // Python since 3.13 takes RFC 5280 at its word: a use of the key, identifiers, no empty subject.
        const usage = "-addext keyUsage=critical,keyCertSign,cRLSign";
        openssl(`req -x509 ${ec} -days 10 -subj /CN=directory-ca ${usage} -keyout ca.key -out ca.pem`);
        openssl(`req -new ${ec} -subj /CN=directory -keyout api.key -out api.csr`);
        const identifiers = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid";
        writeFileSync(join(this.#folder, "names.cnf"), `subjectAltName=IP:${host}\n${identifiers}`);
        openssl(
            "x509 -req -in api.csr -CA ca.pem -CAkey ca.key -set_serial 1 -days 5 -extfile names.cnf -out api.pem",
        );
        return readFileSync(join(this.#folder, "ca.pem"), "utf8");
    }
}

/** An address of the Docker host that containers on any network reach: that of Docker's own bridge. */
function bridgeAddress(): string {
    const inspected = execFileSync("docker", ["network", "inspect", "bridge"]).toString();
    const [bridge] = JSON.parse(inspected) as { IPAM: { Config: { Subnet: string; Gateway?: string }[] } }[];
    const [range] = bridge?.IPAM.Config ?? [];
    // Some engines do not say it: then it is the first address.
    const address = range?.Gateway ?? range?.Subnet.replace(/\.0\/\d+$/, ".1");
    if (address === undefined) throw new Error("Docker's bridge has no address");
    return address;
}
