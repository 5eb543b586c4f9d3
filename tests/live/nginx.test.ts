import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { nginxConf } from "../../components/nginx/conf.ts";
import { CertbotDirectory } from "../support/certificates.ts";
import { docker, Homeserver, inspect, type Run } from "../support/homeserver.ts";
import { ask, eventually } from "../support/http.ts";

/** nginx against its own checkers, and against what it must refuse. */

const certbot = new CertbotDirectory("localhost");
const server = new Homeserver({ tls: { mode: "files", directory: certbot.path } });
let run: Run;
before(async () => {
    certbot.renew();
    run = await server.mustUp({}, { NODE_EXTRA_CA_CERTS: certbot.caFile });
});
after(async () => {
    await server.destroy();
    certbot.remove();
});
const answers = async () =>
    (await ask({ port: run.outputs.publishedPorts.https, path: "/_matrix/client/versions", ca: certbot.ca }))
        .status;

test("testssl finds nothing above LOW on either port", { timeout: 600_000 }, async () => {
    const directory = await mkdtemp(join(tmpdir(), "testssl-"));
    const { https, federation } = run.outputs.publishedPorts;
    const look = async (port: number) => {
        const file = join(directory, `${port}.json`);
        const options = [
            "--quiet",
            "--color",
            "0",
            "--warnings",
            "off",
            "--ip",
            "127.0.0.1",
            "--add-ca",
            certbot.caFile,
            "--jsonfile",
            file,
        ];
        // It exits with the number of findings; what counts is what they are.
        await promisify(execFile)("testssl", [...options, `https://localhost:${port}`], {
            maxBuffer: 1e8,
        }).catch(() => {});
        const findings = JSON.parse(await readFile(file, "utf8")) as {
            id: string;
            severity: string;
            finding: string;
        }[];
        assert.ok(findings.length > 100, "it has looked");
        const counts: Record<string, number> = {};
        for (const { severity } of findings) counts[severity] = (counts[severity] ?? 0) + 1;
        console.log(`testssl, port ${port === https ? 443 : 8448}: ${JSON.stringify(counts)}`);
        // Besides these there is WARN: a check that testssl itself could not finish. The counts above show it.
        const above = findings.filter(({ severity }) => ["MEDIUM", "HIGH", "CRITICAL"].includes(severity));
        assert.deepEqual(above, []);
    };
    // One after the other, or they get into each other's way.
    await look(https);
    await look(federation);
    await rm(directory, { recursive: true });
});

for (const mode of ["files", "acme", "local-ca", "proxy"] as const) {
    test(`gixy finds nothing in the nginx.conf of ${mode}`, async () => {
        const listen = { http: [80, 10080], https: [443, 10443], federation: [8448, 18448] };
        const { text } = nginxConf({
            publicHost: "matrix.example.org",
            httpsPort: 443,
            federationPort: 8448,
            federation: "apart",
            wellKnown: { client: {}, server: {} },
            ipv6: false,
            maxUploadSize: "50M",
            profile: "intermediate",
            hsts: mode !== "local-ca" && mode !== "proxy",
            trustedProxies: mode === "proxy" ? { addresses: ["10.0.0.0/8"], host: false } : undefined,
            http3: mode === "acme",
            acmeChallenges: mode === "acme",
            holdSeconds: 15,
            memory: 256,
            holdScript: "",
            upstream: "synapse:8008",
            listen,
        });
        const directory = await mkdtemp(join(tmpdir(), "gixy-"));
        const file = join(directory, "nginx.conf");
        await writeFile(file, text);
        // A private CA is for first looks: telling browsers to stay with HTTPS would lock other things on localhost out.
        const skips = mode === "local-ca" ? ["--skips", "hsts_header"] : [];
        const { stdout } = await promisify(execFile)(".tools/gixy/bin/gixy", [...skips, "-f", "json", file]);
        await rm(directory, { recursive: true });
        assert.deepEqual(JSON.parse(stdout), []);
    });
}

test("a session that began on one port is resumed on the other, with TLS 1.2 and 1.3", async () => {
    const { https, federation } = run.outputs.publishedPorts;
    const shake = (port: number, version: "TLSv1.2" | "TLSv1.3", session?: Buffer) =>
        new Promise<{ reused: boolean; session: Buffer }>((resolve, reject) => {
            const socket = connect({
                port,
                host: "127.0.0.1",
                servername: "localhost",
                ca: certbot.ca,
                minVersion: version,
                maxVersion: version,
                session,
            });
            socket.on("error", reject);
            socket.on("session", (given) => {
                resolve({ reused: socket.isSessionReused(), session: given });
                socket.destroy();
            });
            socket.on("secureConnect", () => {
                if (socket.isSessionReused()) {
                    resolve({ reused: true, session: Buffer.alloc(0) });
                    socket.destroy();
                }
            });
        });
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
        const { reused, session } = await shake(https, version);
        assert.equal(reused, false);
        // The workers share the cache; each port is served by any of them.
        assert.equal((await shake(federation, version, session)).reused, true, version);
    }
});

test("a certificate that nginx refuses leaves the old one in use and makes the container unhealthy", async () => {
    const volume = `${server.name}-host-certificates`;
    const image = await inspect(server.nginx, "{{.Image}}");
    const onVolume = (script: string) =>
        docker(
            "run",
            "--rm",
            "--network",
            "none",
            "--mount",
            `type=volume,src=${volume},dst=/c`,
            "--entrypoint",
            "/bin/sh",
            image,
            "-euc",
            script,
        );
    const relay = `${server.name}-certificate-relay`;
    await docker("stop", "-t", "1", relay);
    const target = await onVolume(
        "readlink /c/current; mkdir /c/live/bad; echo nonsense >/c/live/bad/fullchain.pem; echo nonsense >/c/live/bad/privkey.pem; ln -sfn live/bad /c/current",
    );
    const health = () => inspect(server.nginx, "{{.State.Health.Status}}");
    assert.equal(await eventually(40, health, (status) => status === "unhealthy"), "unhealthy");
    assert.match(await inspect(server.nginx, "{{json .State.Health.Log}}"), /goes on with the old one/);
    assert.equal(await answers(), 200);
    await onVolume(`ln -sfn ${target} /c/current; rm -r /c/live/bad`);
    assert.equal(await eventually(40, health, (status) => status === "healthy"), "healthy");
    await docker("start", relay);
});

test("a configuration that nginx refuses is not promoted, and says what nginx says", async () => {
    const current = await docker("exec", server.nginx, "readlink", "/etc/nginx/stack/current");
    const image = await inspect(server.nginx, "{{.Image}}");
    const script = readFileSync(new URL("../../components/nginx/configure.sh", import.meta.url), "utf8");
    const options = [
        "--rm",
        "--network",
        "none",
        "--cap-drop",
        "ALL",
        "--cap-add",
        "CHOWN",
        "--cap-add",
        "DAC_OVERRIDE",
    ];
    const mounts = [
        `${server.nginx}-conf,dst=/etc/nginx/stack`,
        `${server.nginx}-buffer,dst=/disk`,
        `${server.name}-host-certificates,dst=/etc/nginx/certificates`,
    ];
    const variables = ["DIGEST=refused", "HOLD_JS=export default {}", "OWNER=101:101"];
    await assert.rejects(
        docker(
            "run",
            ...options,
            ...mounts.flatMap((mount) => ["--mount", `type=volume,src=${mount}`]),
            ...variables.flatMap((variable) => ["--env", variable]),
            ...[
                "--entrypoint",
                "/bin/sh",
                image,
                "-euc",
                script.replace('cat >"$staged/nginx.conf"', 'echo "nonsense;" >"$staged/nginx.conf"'),
            ],
        ),
        /unknown directive "nonsense"/,
    );
    assert.equal(await docker("exec", server.nginx, "readlink", "/etc/nginx/stack/current"), current);
    assert.equal(await answers(), 200);
});
