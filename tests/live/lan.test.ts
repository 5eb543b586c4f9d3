import assert from "node:assert/strict";
import { type ChildProcess, execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { addressesOf, routedAddress } from "../../commands/lan/address.ts";
import { docker, finished, Homeserver, type Run } from "../support/homeserver.ts";
import { ask, eventually } from "../support/http.ts";
import { freePorts } from "../support/ports.ts";

/** A server on this machine's network, with its page for a phone: the tests follow one run of it to its end. */

const address = (await routedAddress()) ?? addressesOf(networkInterfaces())[0]?.address ?? "";
const [pagePort = 0, http = 0, https = 0, federation = 0] = await freePorts(4);
// Docker, left to pick, tries ten ports for all addresses and gives up where other servers hold those on 127.0.0.1.
const server = new Homeserver({ tls: { mode: "local-ca" }, ports: { http, https, federation } });
const directory = mkdtempSync(join(tmpdir(), "lan-"));
const ca = join(directory, "ca.crt");
let printed = "";
let command: ChildProcess;
let ended: Promise<Run>;

before(async () => {
    assert.ok(address !== "", "this machine has only its loopback address");
    command = server.start({}, {}, "--lan", address, "--page-port", String(pagePort));
    command.stdout?.on("data", (text) => (printed += String(text)));
    ended = finished(command);
    const early = ended.then(({ code, printed }) => assert.fail(`it ended with ${code}:\n${printed}`));
    early.catch(() => undefined);
    const shown = eventually(
        300,
        () => Promise.resolve(printed),
        (text) => text.includes("Ctrl-C ends the page"),
    );
    await Promise.race([shown, early]);
});
after(async () => {
    command.kill("SIGINT");
    rmSync(directory, { recursive: true });
    await server.destroy();
});

async function curl(url: string, ...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)("curl", [
        "--silent",
        "--show-error",
        "--fail",
        ...args,
        url,
    ]);
    return stdout;
}

const page = (host: string, path: string) => ask({ address: host, port: pagePort, path, host });
const versions = (host: string) => `https://${host}:${https}/_matrix/client/versions`;

test("the page tells the phone where the server is, and the terminal tells the same fingerprint", async () => {
    const { status, body } = await page(address, "/");
    assert.equal(status, 200);
    const { fingerprint256 } = new X509Certificate((await page(address, "/ca.crt")).body);
    for (const text of [`https://${address}:${https}`, fingerprint256]) {
        assert.ok(body.includes(text), text);
        assert.ok(printed.includes(text), text);
    }
});

test("the page is served at that address alone", async () => {
    await assert.rejects(page("127.0.0.1", "/"));
});

test("who trusts the certificate from the page reaches the server by its address on the network", async () => {
    writeFileSync(ca, await curl(`http://${address}:${pagePort}/ca.crt`));
    assert.match(await curl(versions(address), "--cacert", ca), /"versions"/);
    assert.match(await curl(versions("localhost"), "--cacert", ca), /"versions"/);
    await assert.rejects(curl(versions(address)), /certificate/);
    const told = await curl(`https://${address}:${https}/.well-known/matrix/client`, "--cacert", ca);
    assert.deepEqual(JSON.parse(told), { "m.homeserver": { base_url: `https://${address}:${https}` } });
});

test("a Ctrl-C ends the page, and the server stays", async () => {
    command.kill("SIGINT");
    const run = await ended;
    assert.equal(run.code, 0, run.printed);
    assert.match(run.printed, /The page is gone\. The server is still on the network/);
    await assert.rejects(page(address, "/"));
    assert.match(await curl(versions(address), "--cacert", ca), /"versions"/);
});

test("the next run without it takes the server back to this machine alone", async () => {
    const { outputs } = await server.mustUp();
    assert.equal(outputs.clientUrl, `https://localhost:${https}`);
    assert.match(await docker("port", server.nginx, "443"), /^127\.0\.0\.1:\d+$/);
    await assert.rejects(curl(versions(address), "--insecure"));
    writeFileSync(ca, outputs.caCertificate ?? "");
    assert.match(await curl(versions("localhost"), "--cacert", ca), /"versions"/);
});

test("a run that cannot succeed ends with its page", async () => {
    const failed = await finished(
        server.start({ serverName: "a b" }, {}, "--lan", address, "--page-port", String(pagePort)),
    );
    assert.equal(failed.code, 1);
    assert.match(failed.printed, /synapse:serverName/);
    assert.doesNotMatch(failed.printed, /For a phone/);
});
