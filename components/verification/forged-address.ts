import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { type Asker, Failure } from "./asking.ts";

/** What a client says of itself, and what a proxy adds to it. */
export const FORGED_ADDRESS = "203.0.113.99";
export const ADDED_ADDRESS = "203.0.113.98";

/** A request with a forged X-Forwarded-For, as the container logs it with the address that it takes for the client's. */
export async function logOfForged(server: Asker, container: string): Promise<string> {
    const mark = `verification-${randomUUID()}`;
    await server.ask("/_matrix/client/versions", {
        headers: { "User-Agent": mark, "X-Forwarded-For": `${FORGED_ADDRESS}, ${ADDED_ADDRESS}` },
    });
    const { stdout, stderr } = await promisify(execFile)("docker", ["logs", "--tail", "2000", container], {
        maxBuffer: 64 * 1024 * 1024,
    });
    const line = (stdout + stderr).split("\n").find((text) => text.includes(mark));
    if (line === undefined)
        throw new Failure("Synapse's log does not show the request that was just answered");
    return line;
}

/**
 * Whom such a line shows to be believed. Throws when that is whoever must not be, or when a proxy on this host is not.
 *
 * @param believesHost as in `Expectations`
 * @param fromHost whether the request came from the Docker host itself
 */
export function believed(line: string, believesHost: boolean | undefined, fromHost: boolean): string {
    const proxy = line.includes(ADDED_ADDRESS);
    if (line.includes(FORGED_ADDRESS) || (proxy && believesHost === undefined))
        throw new Failure(`a forged X-Forwarded-For was believed: Synapse logged\n  ${line}`);
    if (!proxy && believesHost === true && fromHost) {
        throw new Failure(
            `the X-Forwarded-For of a proxy on this host was not believed, so all clients would have one address. ` +
                `Name the one that Synapse logged in synapse:tls.trustedProxies:\n  ${line}`,
        );
    }
    return proxy ? "a proxy's X-Forwarded-For is believed" : "a forged X-Forwarded-For is not believed";
}
