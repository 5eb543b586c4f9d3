import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import * as http from "node:http";
import * as https from "node:https";
import { isIP } from "node:net";
import { checkServerIdentity, rootCertificates, type TLSSocket } from "node:tls";
import { promisify } from "node:util";
import type { Expectations } from "../components/verification/expectations.ts";

/**
 * Asks a running server from outside whether it works. Reads what to expect from the variable EXPECTATIONS, prints
 * a line for each thing that holds, and exits with 1 and the reason for the first that does not within 30 seconds.
 */

interface Question {
    readonly port: number;
    readonly path: string;
    readonly tls?: boolean;
    readonly headers?: http.OutgoingHttpHeaders;
}

interface Answer {
    readonly status: number;
    readonly headers: http.IncomingHttpHeaders;
    readonly body: string;
    readonly certificateEnd: Date | undefined;
}

/** Something that does not hold: what was asked, what came back, where to look. */
class Failure extends Error {}

const PATIENCE_MS = 30_000;
const FORGED_ADDRESS = "203.0.113.99";

const expected = JSON.parse(process.env.EXPECTATIONS ?? "null") as Expectations;
const address = connectAddress(expected.addresses, process.env.DOCKER_HOST);

if (address === undefined) {
    // Said, not passed over: nothing was asked.
    console.log(
        "Not verified from outside: the ports are published on the loopback address of another machine.",
    );
} else {
    await verify(address);
}

async function verify(host: string): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    for (const [what, holds] of checks(host)) {
        for (;;) {
            try {
                console.log(`${what}: ${await holds()}`);
                break;
            } catch (error) {
                if (Date.now() < deadline) {
                    await new Promise((resolve) => setTimeout(resolve, 500));
                    continue;
                }
                const reason = error instanceof Error ? error.message : String(error);
                const logs = [
                    expected.container,
                    ...(expected.proxied ? [`${expected.container}-nginx`] : []),
                ];
                console.error(
                    `The server is up, but ${what} does not work.\n  ${reason}\n  See: docker logs ${logs.join("; docker logs ")}`,
                );
                process.exit(1);
            }
        }
    }
}

function checks(host: string): [string, () => Promise<string>][] {
    const { clientPort, federationPort, proxied } = expected;
    return [
        ["the client API", () => clientApi(host, clientPort)],
        ["the federation API", () => federationApi(host, federationPort)],
        ["the server's identity", () => identity(host, federationPort)],
        ...(expected.tls
            ? ([["the certificate", () => certificate(host, clientPort)]] as [
                  string,
                  () => Promise<string>,
              ][])
            : []),
        ...(proxied
            ? ([
                  [".well-known", () => wellKnown(host, clientPort)],
                  ["the closed admin API", () => adminApiClosed(host, clientPort)],
                  ["the redirect to HTTPS", () => redirect(host)],
              ] as [string, () => Promise<string>][])
            : []),
        ...(expected.logsRequests
            ? ([["the clients' addresses", () => forgedAddress(host, clientPort)]] as [
                  string,
                  () => Promise<string>,
              ][])
            : []),
    ];
}

async function clientApi(host: string, port: number): Promise<string> {
    const answer = await ask(host, { port, path: "/_matrix/client/versions" });
    const versions = (json(answer) as { versions?: string[] }).versions ?? [];
    if (versions.length === 0)
        throw new Failure(`GET /_matrix/client/versions named no version: ${answer.body}`);
    return `speaks ${versions.at(-1)}`;
}

async function federationApi(host: string, port: number): Promise<string> {
    const answer = await ask(host, { port, path: "/_matrix/federation/v1/version" });
    const { server } = json(answer) as { server?: { name?: string; version?: string } };
    return `${server?.name} ${server?.version}`;
}

async function identity(host: string, port: number): Promise<string> {
    const answer = await ask(host, { port, path: "/_matrix/key/v2/server" });
    const document = json(answer) as { server_name?: string; verify_keys?: Record<string, { key: string }> };
    const [id, key] = expected.verifyKey.split(" ");
    if (document.server_name !== expected.serverName || document.verify_keys?.[id ?? ""]?.key !== key) {
        throw new Failure(
            `GET /_matrix/key/v2/server: wanted ${expected.serverName} with the recorded key ${expected.verifyKey}, got ${answer.body}`,
        );
    }
    return `${expected.serverName} ${id}`;
}

/** Node has checked its names, and that it is trusted, as for each answer here; of a test CA's, `ask` checks the names. */
async function certificate(host: string, port: number): Promise<string> {
    const { certificateEnd } = await ask(host, { port, path: "/_matrix/client/versions" });
    if (certificateEnd === undefined) throw new Failure("the connection has no certificate");
    if (certificateEnd.getTime() < Date.now())
        throw new Failure(`it ended on ${certificateEnd.toISOString()}`);
    const trust = expected.trusted
        ? ""
        : "; whether its CA is trusted was not asked, as it is not Let's Encrypt's for production";
    return `valid for ${expected.publicHost} until ${certificateEnd.toISOString().slice(0, 10)}${trust}`;
}

async function wellKnown(host: string, port: number): Promise<string> {
    for (const [file, key] of [
        ["client", "m.homeserver"],
        ["server", "m.server"],
    ] as const) {
        const path = `/.well-known/matrix/${file}`;
        const answer = await ask(host, { port, path });
        if (!(key in (json(answer) as object))) throw new Failure(`GET ${path} lacks ${key}: ${answer.body}`);
        if (answer.headers["access-control-allow-origin"] !== "*") {
            throw new Failure(
                `GET ${path} lacks the header Access-Control-Allow-Origin: *, without which web clients cannot read it`,
            );
        }
    }
    return "client and server";
}

async function adminApiClosed(host: string, port: number): Promise<string> {
    for (const path of [
        "/_synapse/admin/v1/server_version",
        "/_matrix/../_synapse/admin/v1/server_version",
    ]) {
        const { status } = await ask(host, { port, path }, [404, 400]);
        if (status === 200) throw new Failure(`GET ${path} answered 200`);
    }
    return "404";
}

async function redirect(host: string): Promise<string> {
    const { redirectPort: port = 80 } = expected;
    const answer = await ask(host, { port, path: "/", tls: false }, [301]);
    return String(answer.headers.location);
}

/** Synapse logs each request with the address that it takes for the client's. */
async function forgedAddress(host: string, port: number): Promise<string> {
    const mark = `verification-${randomUUID()}`;
    await ask(host, {
        port,
        path: "/_matrix/client/versions",
        headers: { "User-Agent": mark, "X-Forwarded-For": FORGED_ADDRESS },
    });
    const { stdout, stderr } = await promisify(execFile)(
        "docker",
        ["logs", "--tail", "2000", expected.container],
        {
            maxBuffer: 64 * 1024 * 1024,
        },
    );
    const line = (stdout + stderr).split("\n").find((text) => text.includes(mark));
    if (line === undefined)
        throw new Failure("Synapse's log does not show the request that was just answered");
    if (line.includes(FORGED_ADDRESS)) {
        throw new Failure(`a forged X-Forwarded-For was believed: Synapse logged\n  ${line}`);
    }
    return "a forged X-Forwarded-For is not believed";
}

async function ask(host: string, question: Question, wanted: readonly number[] = [200]): Promise<Answer> {
    const { port, path, tls = expected.tls, headers = {} } = question;
    const { publicHost, caCertificate } = expected;
    if (port === 0) throw new Failure("its port is not published: the container does not run");
    const name = publicHost.replace(/^\[(.*)\]$/, "$1");
    const options: https.RequestOptions = {
        host,
        port,
        path,
        headers: { Host: publicHost, ...headers },
        // An address is no SNI; the certificate is then checked against it directly.
        ...(isIP(name) === 0 ? { servername: name } : {}),
        ...(caCertificate === undefined ? {} : { ca: [...rootCertificates, caCertificate] }),
        rejectUnauthorized: expected.trusted,
        timeout: 10_000,
        agent: false,
    };
    const url = `${tls ? "https" : "http"}://${publicHost}:${port}${path} (at ${host})`;
    const answer = await new Promise<Answer>((resolve, reject) => {
        const request = (tls ? https : http).get(options, (response) => {
            const chunks: Buffer[] = [];
            const certificate = tls ? (response.socket as TLSSocket).getPeerCertificate() : undefined;
            const certificateEnd = certificate && new Date(certificate.valid_to);
            const wrongName = certificate && checkServerIdentity(name, certificate);
            if (wrongName) reject(wrongName);
            response.on("data", (chunk: Buffer) => chunks.push(chunk));
            response.on("end", () => {
                const body = Buffer.concat(chunks).toString();
                resolve({
                    status: response.statusCode ?? 0,
                    headers: response.headers,
                    body,
                    certificateEnd,
                });
            });
            response.on("error", reject);
        });
        request.on("timeout", () => request.destroy(new Error("no answer within 10 seconds")));
        request.on("error", reject);
    }).catch((error: unknown) => {
        throw new Failure(`GET ${url}: ${error instanceof Error ? error.message : String(error)}`);
    });
    if (!wanted.includes(answer.status)) {
        throw new Failure(
            `GET ${url}: wanted ${wanted.join(" or ")}, got ${answer.status} ${answer.body.slice(0, 300)}`,
        );
    }
    return answer;
}

function json(answer: Answer): unknown {
    try {
        return JSON.parse(answer.body);
    } catch {
        throw new Failure(`wanted JSON, got ${answer.body.slice(0, 300)}`);
    }
}

/** Where the Docker host is reached from here; undefined when its ports are published on its loopback alone. */
function connectAddress(published: readonly string[], dockerHost: string | undefined): string | undefined {
    const remote = /^(?:ssh|tcp):\/\/(?:[^@/]*@)?(\[[^\]]+\]|[^:/]+)/
        .exec(dockerHost ?? "")?.[1]
        ?.replace(/[[\]]/g, "");
    const isLocal =
        remote === undefined || remote === "localhost" || remote === "127.0.0.1" || remote === "::1";
    const candidates = published.flatMap((listening) => {
        if (listening === "0.0.0.0") return isLocal ? ["127.0.0.1"] : [remote];
        if (listening === "::") return isLocal ? ["::1"] : [remote];
        const isLoopback = listening.startsWith("127.") || listening === "::1";
        return isLoopback && !isLocal ? [] : [listening];
    });
    return candidates[0];
}
