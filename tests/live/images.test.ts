import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import Docker from "dockerode";
import { ensureImages, versionOf } from "../../images/ensure.ts";
import { findRecipe } from "../../images/recipes.ts";
import { images } from "../support/homeserver.ts";
import { Registry, WithoutEquivalents } from "./fixtures/registry.ts";

// What the program relies on in the official images: asked of those, or of the equivalents where these stand in.

const hardened = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"];
const asSynapse = [...hardened, "--user=991:991", "--tmpfs=/tmp"];
const asNginx = [
    ...hardened,
    "--user=101:101",
    "--tmpfs=/var/cache/nginx:uid=101,gid=101",
    "--tmpfs=/run:uid=101,gid=101",
];
const identity = ["--env=SYNAPSE_SERVER_NAME=imgtest.example", "--env=SYNAPSE_REPORT_STATS=no"];
const data = "imgtest-data";
const onData = `--volume=${data}:/data`;

const synapse = used("synapse");
const nginx = used("nginx");
const certbot = used("certbot");

before(removeAll);
after(removeAll);

test("certbot runs hardened as nginx's user, and has what the scripts around it need", async () => {
    const run = (...more: string[]) =>
        succeed(
            "run",
            "--rm",
            "--network=none",
            ...hardened,
            "--user=101:101",
            "--tmpfs=/tmp",
            "--tmpfs=/etc/letsencrypt:uid=101,gid=101",
            "--tmpfs=/var/lib/letsencrypt:uid=101,gid=101",
            "--tmpfs=/var/log/letsencrypt:uid=101,gid=101",
            ...more,
        );
    assert.equal(await run(certbot.tag, "--version"), `certbot ${certbot.version}`);
    assert.match(await run(certbot.tag, "certificates"), /No certificates found/);
    const shell = (script: string) => run("--entrypoint=/bin/sh", certbot.tag, "-c", script);
    for (const tool of ["flock", "openssl", "python3", "sha256sum", "shuf"])
        await shell(`command -v ${tool}`);
    // As in the official one: what works here must not be more than there.
    for (const tool of ["bash", "curl", "getent", "perl", "apt-get"]) await shell(`! command -v ${tool}`);
    for (const refused of [
        "flock -w 3 9 9>/tmp/lock",
        "stat --format %u /tmp",
        "find /tmp -newermt '-60 seconds'",
        "readlink -e /tmp",
        "timeout --foreground 3 true",
        "echo x | grep -P x",
    ]) {
        await shell(`! ${refused} 2>/dev/null`);
    }
    assert.equal(
        await shell(
            "flock -n 9 9>/tmp/lock && cd /tmp && mkdir a b && ln -s a c && ln -s b d && mv -T d c && readlink c",
        ),
        "b",
    );
    assert.ok(await run("--entrypoint=cat", certbot.tag, "/etc/ssl/certs/ca-certificates.crt"));
});

async function removeAll(): Promise<void> {
    await docker("rm", "--force", "--volumes", "imgtest-synapse", "imgtest-nginx");
    await docker("volume", "rm", "--force", data, "imgtest-root");
}

test("generate refuses without a server name or without a word on statistics", async () => {
    for (const given of identity) {
        const { code, stderr } = await docker("run", "--rm", given, synapse.tag, "generate");
        assert.equal(code, 2);
        assert.match(stderr, /is mandatory in `generate` mode/);
    }
});

test("run without a configuration exits 2 and says how to get one", async () => {
    const { code, stderr } = await docker("run", "--rm", synapse.tag);
    assert.equal(code, 2);
    assert.match(stderr, /'\/data\/homeserver\.yaml' does not exist.*`generate`/s);
});

test("an unknown mode exits 2", async () => {
    assert.equal((await docker("run", "--rm", synapse.tag, "start")).code, 2);
});

test("an equivalent lacks the mode that would overwrite a configuration", equivalent(synapse), async () => {
    const migrate = await docker("run", "--rm", ...identity, synapse.tag, "migrate_config");
    assert.equal(migrate.code, 2);
    assert.match(migrate.stderr, /no `migrate_config` mode/);
});

test("generate, as root with three capabilities, hands a fresh volume to 991", async () => {
    const caps = ["CHOWN", "SETUID", "SETGID"].map((capability) => `--cap-add=${capability}`);
    const volume = "--volume=imgtest-root:/data";
    await succeed(
        "run",
        "--rm",
        ...hardened,
        ...caps,
        "--tmpfs=/tmp",
        volume,
        ...identity,
        synapse.tag,
        "generate",
    );
    const owners = await succeed(
        "run",
        "--rm",
        volume,
        "--entrypoint=stat",
        synapse.tag,
        "--format=%n %u:%g %a",
        "/data",
        "/data/homeserver.yaml",
        "/data/imgtest.example.signing.key",
    );
    assert.deepEqual(owners.split("\n"), [
        "/data 991:991 755",
        "/data/homeserver.yaml 991:991 644",
        "/data/imgtest.example.signing.key 991:991 640",
    ]);
});

test("generate works hardened and offline, and a second one changes nothing", async () => {
    await succeed(
        "run",
        "--rm",
        "--cap-drop=ALL",
        "--cap-add=CHOWN",
        onData,
        "--entrypoint=chown",
        synapse.tag,
        "991:991",
        "/data",
    );
    const generate = [
        "run",
        "--rm",
        "--network=none",
        ...asSynapse,
        onData,
        ...identity,
        synapse.tag,
        "generate",
    ];
    const contents = ["run", "--rm", onData, "--entrypoint=sh", synapse.tag, "-c", "cd /data && sha256sum *"];

    await succeed(...generate);
    const first = await succeed(...contents);
    assert.match(
        first,
        /homeserver\.yaml\n.*imgtest\.example\.log\.config\n.*imgtest\.example\.signing\.key$/,
    );
    await succeed(...generate);
    assert.equal(await succeed(...contents), first);
});

test("Synapse runs hardened, registers a user, and goes at SIGTERM at once", async () => {
    await succeed("run", "--detach", "--name=imgtest-synapse", ...asSynapse, onData, synapse.tag);
    await until("imgtest-synapse", "curl", "-fsS", "http://localhost:8008/health");

    const register = [
        "register_new_matrix_user",
        "-c",
        "/data/homeserver.yaml",
        "-u",
        "alice",
        "-p",
        "wonderland",
        "-a",
    ];
    assert.match(await succeed("exec", "imgtest-synapse", ...register, "http://localhost:8008"), /Success/);
    const loaded = await succeed("exec", "imgtest-synapse", "grep", "-c", "libjemalloc", "/proc/1/maps");
    assert.ok(Number(loaded) > 0, "jemalloc is Synapse's allocator");

    const started = Date.now();
    await succeed("stop", "-t", "20", "imgtest-synapse");
    assert.ok(Date.now() - started < 15_000, "it did not have to be killed");
    assert.equal(await succeed("inspect", "--format={{.State.ExitCode}}", "imgtest-synapse"), "0");
});

test("given configuration files replace the default one", async () => {
    const run = ["run", "--rm", ...asSynapse, onData, synapse.tag, "run"];
    const missing = await docker(
        ...run,
        "--config-path=/data/homeserver.yaml",
        "--config-path=/data/none.yaml",
    );
    assert.equal(missing.code, 1);
    assert.match(missing.stdout, /synapse\.app\.homeserver --config-path=\S+ --config-path=\S+$/m);
    // How the program checks a configuration before it touches the server.
    const check = await docker(...run, "-m", "synapse.config", "-c", "/data/homeserver.yaml");
    assert.equal(check.code, 0, check.stderr);
});

test("Synapse's tools, PostgreSQL's driver and the program's helpers are there", async () => {
    const tools =
        "register_new_matrix_user hash_password generate_signing_key export_signing_key synapse_port_db " +
        "update_synapse_database curl openssl gosu flock python";
    const script = `for tool in ${tools}; do command -v $tool >/dev/null || echo $tool; done`;
    assert.equal(await succeed("run", "--rm", "--entrypoint=sh", synapse.tag, "-c", script), "", "missing");
    await succeed(
        "run",
        "--rm",
        "--entrypoint=python",
        synapse.tag,
        "-c",
        "import psycopg2, hiredis, authlib, saml2",
    );
});

test("the images declare what the program relies on", async () => {
    const declared = async ({ tag }: Used) => (await new Docker().getImage(tag).inspect()).Config;
    const server = await declared(synapse);
    assert.deepEqual(server.Entrypoint, ["/start.py"]);
    assert.equal(server.Cmd, null);
    assert.equal(server.Volumes, null);
    assert.ok(Object.keys(server.ExposedPorts ?? {}).includes("8008/tcp"));
    const proxy = await declared(nginx);
    assert.deepEqual(proxy.Cmd, ["nginx", "-g", "daemon off;"]);
    assert.equal((proxy as { StopSignal?: string }).StopSignal, "SIGQUIT");
});

test("the versions inside are those of the tags", async () => {
    const read = "import importlib.metadata; print(importlib.metadata.version('matrix-synapse'))";
    const inside = await succeed("run", "--rm", "--entrypoint=python", synapse.tag, "-c", read);
    assert.equal(inside, synapse.version);
    assert.match(
        (await docker("run", "--rm", nginx.tag, "nginx", "-v")).stderr,
        new RegExp(`nginx/${nginx.version}$`),
    );
});

test("nginx serves port 80 hardened, as 101, with its log on the container's output", async () => {
    await succeed("run", "--detach", "--name=imgtest-nginx", ...asNginx, nginx.tag);
    await until("imgtest-nginx", "curl", "-fsS", "http://localhost:80/");
    assert.match((await docker("logs", "imgtest-nginx")).stdout, /"GET \/ HTTP\/1\.1" 200/);
    await succeed("exec", "imgtest-nginx", "nginx", "-s", "reload");
    await succeed("stop", "-t", "20", "imgtest-nginx");
    assert.equal(await succeed("inspect", "--format={{.State.ExitCode}}", "imgtest-nginx"), "0");
});

test("nginx loads njs by the official image's path", async () => {
    for (const module of ["modules/ngx_http_js_module.so", "/etc/nginx/modules/ngx_http_js_module.so"]) {
        await succeed("run", "--rm", ...asNginx, nginx.tag, "nginx", "-t", "-g", `load_module ${module};`);
    }
});

test("nginx's entrypoint runs the executable scripts, for nginx only, and stops at a failure", async () => {
    const script = (body: string) =>
        `printf '#!/bin/sh\\n${body}\\n' > /docker-entrypoint.d/10-test.sh; chmod +x /docker-entrypoint.d/10-test.sh; `;
    const inside = (command: string) => docker("run", "--rm", "--entrypoint=sh", nginx.tag, "-c", command);

    assert.match((await inside(`${script("echo ran")} /docker-entrypoint.sh nginx -t`)).stdout, /^ran$/m);
    assert.doesNotMatch((await inside(`${script("echo ran")} /docker-entrypoint.sh true`)).stdout, /ran/);
    assert.equal((await inside(`${script("exit 7")} /docker-entrypoint.sh nginx -t`)).code, 7);
});

test("no certificate of the building machine is trusted in an image", equivalent(synapse), async () => {
    const installed =
        "cat /usr/share/ca-certificates/mozilla/*.crt | sort -u | wc -l; sort -u /etc/ssl/certs/ca-certificates.crt | wc -l";
    for (const { tag } of [synapse, nginx]) {
        const [package_, trusted] = (
            await succeed("run", "--rm", "--entrypoint=sh", tag, "-c", installed)
        ).split("\n");
        assert.equal(trusted, package_);
        assert.equal(
            await succeed("run", "--rm", "--entrypoint=sh", tag, "-c", "ls -d /build 2>/dev/null || true"),
            "",
        );
    }
});

test("an image that is there is used as it is", async () => {
    assert.deepEqual(await ensureImages({ nginx: nginx.tag }, unexpected), { nginx: nginx.tag });
});

const builtBefore =
    "an equivalent that was built is used without asking the registry, and another version is named";
test(builtBefore, equivalent(synapse), async () => {
    const lines: string[] = [];
    const started = Date.now();
    // A documentation address: a packet sent there gets no answer at all.
    const found = await ensureImages({ synapse: "192.0.2.1/synapse:v1.0.0" }, (line) => lines.push(line));
    assert.deepEqual(found, { synapse: synapse.tag });
    assert.ok(Date.now() - started < 10_000);
    assert.match(lines.join("\n"), new RegExp(`version ${synapse.version}, not 1\\.0\\.0`));
});

test("an image is pulled where its registry answers, and no equivalent is built", async (t) => {
    const registry = new Registry("imgtest:1.0");
    const reference = await registry.start();
    const lines: string[] = [];
    t.after(async () => {
        await registry.stop();
        await docker("rmi", reference);
    });
    // There is a recipe of that name: without a registry, this is what would be built.
    const found = await ensureImages(
        { nginx: reference },
        (line) => lines.push(line),
        new WithoutEquivalents(),
    );
    assert.deepEqual(found, { nginx: reference });
    assert.equal(await succeed("inspect", "--format={{.Config.Cmd}}", reference), "[pulled]");
    assert.equal(lines[0], `nginx: pulling ${reference}`);
});

test("where no registry answers and there is no recipe, the error says both", async () => {
    await assert.rejects(
        ensureImages({ imgtest: "localhost:1/imgtest:1" }, unexpected),
        /localhost:1 does not answer, and there is no recipe to build an equivalent of localhost:1\/imgtest:1/,
    );
});

test("a registry that answers and has no such image is not worked around", async (t) => {
    const registry = createServer((request, response) =>
        response.writeHead(request.url === "/v2/" ? 200 : 404).end(),
    );
    await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
    t.after(() => registry.close());
    const reference = `localhost:${(registry.address() as AddressInfo).port}/imgtest:1`;
    await assert.rejects(
        ensureImages({ imgtest: reference }, () => {}),
        new RegExp(`pulling ${reference} failed`),
    );
});

interface Used {
    readonly tag: string;
    readonly version: string;
    readonly isEquivalent: boolean;
}

function used(name: string): Used {
    const tag = images[name] ?? "";
    const recipe = findRecipe(name);
    const isEquivalent = recipe?.tag === tag;
    const version = isEquivalent ? recipe?.version : versionOf(tag);
    assert.ok(version, `no version of ${name}: ${tag}`);
    return { tag, version, isEquivalent };
}

/** For a test of what equivalents alone promise. */
function equivalent({ tag, isEquivalent }: Used): { skip: string | false } {
    return { skip: isEquivalent ? false : `${tag} is no equivalent` };
}

function unexpected(line: string): never {
    assert.fail(`nothing to say, but: ${line}`);
}

interface Outcome {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
}

function docker(...words: string[]): Promise<Outcome> {
    return new Promise((resolve) => {
        execFile("docker", words, (error, stdout, stderr) => {
            resolve({ code: Number(error?.code ?? 0), stdout: stdout.trim(), stderr: stderr.trim() });
        });
    });
}

async function succeed(...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await docker(...words);
    assert.equal(code, 0, `docker ${words.join(" ")}\n${stdout}\n${stderr}`);
    return stdout;
}

async function until(container: string, ...command: string[]): Promise<void> {
    for (let tries = 0; tries < 120; tries++) {
        if ((await docker("exec", container, ...command)).code === 0) return;
        await sleep(250);
    }
    const { stdout, stderr } = await docker("logs", "--tail=20", container);
    assert.fail(`${command.join(" ")} kept failing in ${container}\n${stdout}\n${stderr}`);
}
