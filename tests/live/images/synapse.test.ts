import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { docker, equivalent, HARDENED, succeed, until, used } from "../../support/image-commands.ts";

// What the program relies on in Synapse's official image: asked of that, or of the equivalent where it stands in.

const asSynapse = [...HARDENED, "--user=991:991", "--tmpfs=/tmp"];
const identity = ["--env=SYNAPSE_SERVER_NAME=imgtest.example", "--env=SYNAPSE_REPORT_STATS=no"];
const data = "imgtest-data";
const onData = `--volume=${data}:/data`;

const synapse = used("synapse");

before(removeAll);
after(removeAll);

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
        ...HARDENED,
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

async function removeAll(): Promise<void> {
    await docker("rm", "--force", "--volumes", "imgtest-synapse");
    await docker("volume", "rm", "--force", data, "imgtest-root");
}
