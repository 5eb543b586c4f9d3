import assert from "node:assert/strict";
import { test } from "node:test";
import type { Registration } from "../support/engine.ts";
import { type Run, runProgram } from "../support/program.ts";
import { some } from "../support/some.ts";

const NAMED = { serverName: "example.org", publicHost: "matrix.example.org" };
const WITH_FILES = { ...NAMED, tls: { mode: "files" } };
const MODES = ["none", "synapse", "files", "acme", "local-ca", "proxy"] as const;
type Mode = (typeof MODES)[number];

/** The least that a mode must be told. */
const tlsOf = (mode: Mode) => ({
    mode,
    ...(mode === "acme" ? { email: "admin@example.org" } : {}),
    ...(mode === "proxy" ? { publicUrl: "https://matrix.example.org" } : {}),
});
/** A first look is for this machine alone. */
const namedFor = (mode: Mode) => (mode === "none" ? { ...NAMED, publicHost: "localhost" } : NAMED);

// Side by side: each takes a process of its own.
const runs = Object.fromEntries(
    await Promise.all(
        MODES.map(async (mode) => [mode, await runProgram({ ...namedFor(mode), tls: tlsOf(mode) })] as const),
    ),
) as Record<Mode, Run>;
const dockerHost = "ssh://deploy@docker.example.org";
const SECRETS = ["dns_cloudflare_api_token = Hunter2", "SHVudGVyMw"] as const;
const byDns = {
    ...tlsOf("acme"),
    names: ["*.example.org"],
    challenge: { type: "dns-01", plugin: "cloudflare", credentials: SECRETS[0] },
    externalAccount: { keyId: "key-1", hmacKey: SECRETS[1] },
};
const HIDDEN = "Hunter4";
const withSecretConfig = {
    ...WITH_FILES,
    extraConfig: { email: { smtp_host: "mail.example.org" } },
    secretConfig: { email: { smtp_pass: HIDDEN } },
};
const [ephemeral, secretive, larger, roomier, production, hiding, together, alone, dual] = await Promise.all([
    runProgram({ ...NAMED, tls: { mode: "local-ca" }, ephemeral: true }),
    runProgram({ ...NAMED, tls: byDns, ephemeral: true }, "test", ["tls"]),
    runProgram({ ...WITH_FILES, maxUploadSize: "100M" }),
    runProgram({ ...WITH_FILES, memory: { synapse: 8192, nginx: 512 } }),
    runProgram({ ...WITH_FILES, dockerHost }, "prod"),
    runProgram(withSecretConfig, "test", ["secretConfig"]),
    runProgram({ ...WITH_FILES, federation: { port: 443 }, holdSeconds: 0 }),
    runProgram({ ...WITH_FILES, federation: { enabled: false } }),
    runProgram({
        ...WITH_FILES,
        ipv6: true,
        listenAddresses: { public: ["0.0.0.0", "::"] },
        ports: { synapse: "off" },
    }),
]);
const CA_BUNDLE = "-----BEGIN CERTIFICATE-----";
const runsOfOtherCas = await Promise.all([
    runProgram({ ...NAMED, tls: { ...tlsOf("acme"), server: "staging" } }),
    runProgram({
        ...NAMED,
        tls: { ...tlsOf("acme"), server: "https://ca.example.org/dir", caBundle: CA_BUNDLE },
    }),
]);
const proxy = { ...tlsOf("proxy"), publicUrl: "https://matrix.example.org:8443" };
const [loopback, unnamed, behindOther, behindUnknown] = await Promise.all([
    runProgram({ ...WITH_FILES, listenAddresses: { public: ["127.0.0.1", "::1"] } }),
    runProgram({ serverName: "matrix.test", tls: { mode: "local-ca" } }),
    runProgram({
        ...NAMED,
        tls: { ...proxy, trustedProxies: ["10.0.0.5"] },
        listenAddresses: { public: ["10.0.0.2", "10.0.0.3"] },
        federation: { enabled: false },
        ports: { http: 8888 },
    }),
    runProgram({ ...NAMED, tls: proxy, ephemeral: true }),
]);
const everyRun = [
    ...Object.values(runs),
    ephemeral,
    secretive,
    larger,
    roomier,
    hiding,
    together,
    alone,
    dual,
    behindOther,
    behindUnknown,
];

const CONTAINER = "docker:index/container:Container";
const COMMAND = "command:local:Command";
const VOLUME = "docker:index/volume:Volume";

/** What an interrupted update leaves is known by them. */
const OWN_LABELS = [
    { label: "synapse-docker.stack", value: "synapse/test" },
    { label: "synapse-docker.name", value: "synapse-test" },
    { label: "synapse-docker.deployment", value: "0123456789abcdef" },
];

const ofType = ({ registrations }: Run, type: string) =>
    registrations.filter((resource) => resource.type === type);
const isLoader = ({ name }: Registration) => name.endsWith("-loader");
const servicesOf = (run: Run) => ofType(run, CONTAINER).filter((container) => !isLoader(container));
/** But the one that makes the deployment's id, which asks no engine. */
const commandsOf = (run: Run) => ofType(run, COMMAND).filter(({ name }) => name !== "deployment");
const loadersOf = (run: Run) => ofType(run, CONTAINER).filter(isLoader);

function registered({ registrations }: Run, name: string): Registration {
    const found = registrations.filter((resource) => resource.name === name);
    assert.equal(found.length, 1, `${found.length} × ${name}`);
    return found[0] as Registration;
}

/** A resource's name without the hash of the files in it. */
function withoutHash(name: string): string {
    return name.replace(/-[0-9a-f]{12}-/, "-");
}

// --- What there is ------------------------------------------------------------------------------------------------

const SERVER = [
    "command:local:Command deployment",
    "pulumi:providers:docker docker",
    "docker:index/network:Network network",
    "docker:index/remoteImage:RemoteImage synapse-image",
    "synapse:index:SynapseData synapse-data",
    "docker:index/volume:Volume synapse-data-volume < synapse-data",
    "docker:index/volume:Volume synapse-data-compiled < synapse-data",
    "command:local:Command synapse-data-generation < synapse-data",
    "synapse:index:Synapse synapse",
    "synapse:index:FileVolume synapse-config < synapse",
    "docker:index/volume:Volume synapse-config-<hash>-volume < synapse-config",
    "docker:index/container:Container synapse-config-<hash>-loader < synapse-config",
    "command:local:Command synapse-check < synapse",
    "docker:index/container:Container synapse-container < synapse",
    "command:local:Command synapse-container-ready < synapse",
    "synapse:index:Verification verification",
    "command:local:Command verification-questions < verification",
];
const HOST_CERTIFICATE = [
    "synapse:index:HostCertificate certificates",
    "docker:index/volume:Volume certificates-certificates < certificates",
    "synapse:index:FileVolume certificates-scripts < certificates",
    "docker:index/volume:Volume certificates-scripts-<hash>-volume < certificates-scripts",
    "docker:index/container:Container certificates-scripts-<hash>-loader < certificates-scripts",
    "command:local:Command certificates-copy < certificates",
    "docker:index/container:Container certificates-relay < certificates",
    "command:local:Command certificates-relay-ready < certificates",
];
const LOCAL_CA = [
    "synapse:index:LocalCa certificates",
    "docker:index/volume:Volume certificates-ca < certificates",
    "docker:index/volume:Volume certificates-certificates < certificates",
    "command:local:Command certificates-issuance < certificates",
    "docker:index/container:Container certificate-renewal",
    "command:local:Command certificate-renewal-ready",
];
const ACME = [
    "docker:index/remoteImage:RemoteImage certbot-image",
    "synapse:index:AcmeCertificate certificates",
    "docker:index/volume:Volume certificates-letsencrypt < certificates",
    "docker:index/volume:Volume certificates-certificates < certificates",
    "docker:index/volume:Volume certificates-webroot < certificates",
    "command:local:Command certificates-ownership < certificates",
    "command:local:Command certificates-placeholder < certificates",
    "synapse:index:Certbot certbot",
    "synapse:index:FileVolume certbot-scripts < certbot",
    "docker:index/volume:Volume certbot-scripts-<hash>-volume < certbot-scripts",
    "docker:index/container:Container certbot-scripts-<hash>-loader < certbot-scripts",
    "command:local:Command certbot-issuance < certbot",
    "docker:index/container:Container certbot-container < certbot",
    "command:local:Command certbot-container-ready < certbot",
];
const PROXY = [
    "docker:index/volume:Volume synapse-data-announce < synapse-data",
    "docker:index/remoteImage:RemoteImage nginx-image",
    "synapse:index:NginxProxy nginx",
    "docker:index/volume:Volume nginx-buffer < nginx",
    "docker:index/volume:Volume nginx-conf < nginx",
    "synapse:index:FileVolume nginx-scripts < nginx",
    "docker:index/volume:Volume nginx-scripts-<hash>-volume < nginx-scripts",
    "docker:index/container:Container nginx-scripts-<hash>-loader < nginx-scripts",
    "command:local:Command nginx-configuration < nginx",
    "docker:index/container:Container nginx-container < nginx",
    "command:local:Command nginx-container-ready < nginx",
];

for (const [mode, expected] of [
    ["none", SERVER],
    ["synapse", [...SERVER, ...HOST_CERTIFICATE]],
    ["files", [...SERVER, ...HOST_CERTIFICATE, ...PROXY]],
    ["acme", [...SERVER, ...ACME, ...PROXY]],
    ["local-ca", [...SERVER, ...LOCAL_CA, ...PROXY]],
    ["proxy", [...SERVER, ...PROXY]],
] as const) {
    test(`a stack with tls.mode ${mode} is this and nothing else`, () => {
        const { registrations, failure } = runs[mode];
        assert.equal(failure, undefined);
        const listed = registrations.map(({ type, name, parent }) =>
            `${type} ${name}${parent === "" ? "" : ` < ${parent}`}`.replace(/-[0-9a-f]{12}-/, "-<hash>-"),
        );
        assert.deepEqual(listed.sort(), [...expected].sort());
    });
}

test("with a bad setting nothing at all is registered", async () => {
    const { registrations, failure } = await runProgram({ ...NAMED, tls: { mode: "tls" }, name: "Upper" });
    assert.deepEqual(registrations, []);
    assert.equal(failure?.isRunError, true);
    assert.match(failure.message, /^2 settings are wrong; nothing was touched\.\n {2}synapse:tls\.mode\n/);
});

test("a throw-away stack is made of the same resources", () => {
    const names = ({ registrations }: Run) => registrations.map(({ name }) => name).sort();
    const withoutHashes = (run: Run) => names(run).map(withoutHash);
    assert.deepEqual(withoutHashes(ephemeral), withoutHashes(runs["local-ca"]));
});

test("nothing of one stack has a name of another", () => {
    const dockerNames = (run: Run) =>
        run.registrations
            .filter(({ type }) => /:(Volume|Container|Network)$/.test(type))
            .map(({ type, inputs }) => `${type} ${String(inputs.name)}`);
    const [one, other] = [dockerNames(production), dockerNames(runs.files)];
    assert.equal(new Set([...one, ...other]).size, one.length + other.length);
    assert.ok(one.includes(`${VOLUME} synapse-data`));
    assert.ok(one.includes(`${CONTAINER} synapse`));
    assert.ok(other.includes(`${CONTAINER} synapse-test-nginx`));
});

// --- Data ---------------------------------------------------------------------------------------------------------

const kept = ({ protect, retainOnDelete }: Registration) => ({ protect, retainOnDelete });

test("the data volume survives replacement and destroy", () => {
    for (const run of Object.values(runs)) {
        const volume = registered(run, "synapse-data-volume");
        assert.deepEqual(kept(volume), { protect: true, retainOnDelete: true });
        assert.deepEqual(volume.ignoreChanges, ["labels", "driver", "driverOpts"]);
        assert.deepEqual(volume.inputs, { name: "synapse-test-data", labels: OWN_LABELS });
    }
});

test("another server name needs another data volume, which its protection refuses in preview", () => {
    const volume = registered(runs.files, "synapse-data-volume");
    assert.equal(volume.replacementTrigger, "example.org");
    assert.equal(volume.deleteBeforeReplace, true);
});

test("another server name is refused, but for a throw-away", () => {
    assert.deepEqual(registered(runs.files, "synapse-data-generation").hooks.beforeUpdate, ["permanence"]);
    assert.deepEqual(registered(ephemeral, "synapse-data-generation").hooks.beforeUpdate, []);
});

test("a private CA that people trust survives too", () => {
    assert.deepEqual(kept(registered(runs["local-ca"], "certificates-ca")), {
        protect: true,
        retainOnDelete: true,
    });
});

test("certbot's account and certificates survive too: made again each time, they run into rate limits", () => {
    const volume = registered(runs.acme, "certificates-letsencrypt");
    assert.deepEqual(kept(volume), { protect: true, retainOnDelete: true });
    assert.equal(volume.inputs.name, "synapse-test-letsencrypt");
});

test("of a throw-away stack nothing is kept", () => {
    for (const resource of [...ephemeral.registrations, ...secretive.registrations]) {
        assert.deepEqual(kept(resource), { protect: false, retainOnDelete: false }, resource.name);
    }
});

test("nothing but what cannot be made again is kept", () => {
    const names = Object.values(runs).flatMap(({ registrations }) =>
        registrations
            .filter(({ protect, retainOnDelete }) => protect || retainOnDelete)
            .map(({ name }) => name),
    );
    assert.deepEqual([...new Set(names)].sort(), [
        "certificates-ca",
        "certificates-letsencrypt",
        "deployment",
        "synapse-data-volume",
    ]);
});

test("images stay on the Docker host: other stacks may use them", () => {
    for (const run of everyRun) {
        for (const { inputs } of some(ofType(run, "docker:index/remoteImage:RemoteImage"))) {
            assert.equal(inputs.keepLocally, true);
        }
    }
});

test("no private key and no secret is handed to Pulumi", () => {
    const secret = [
        /BEGIN [A-Z ]*PRIVATE KEY/,
        /(macaroon_secret_key|form_secret|registration_shared_secret|signing_key): /,
        /ed25519 a_\w+ [A-Za-z0-9+/]{43}/,
    ];
    for (const { registrations } of everyRun) {
        for (const { name, inputs } of registrations) {
            for (const pattern of secret) assert.doesNotMatch(JSON.stringify(inputs), pattern, name);
        }
    }
});

test("components hand their arguments to nobody: Pulumi would keep them in its state", () => {
    for (const { registrations } of everyRun) {
        for (const { type, inputs } of registrations) {
            if (type.startsWith("synapse:")) assert.deepEqual(inputs, {}, type);
        }
    }
});

// --- Whose engine, whose objects ----------------------------------------------------------------------------------

test("every Docker object goes to the stack's own engine", () => {
    for (const { registrations } of everyRun) {
        for (const { type, name, provider } of registrations) {
            if (type.startsWith("docker:"))
                assert.match(provider, /::pulumi:providers:docker::docker::docker-id$/, name);
        }
    }
});

test("provider and docker client speak to the same engine", () => {
    assert.equal(registered(production, "docker").inputs.host, dockerHost);
    for (const { inputs } of some(commandsOf(production))) {
        assert.equal((inputs.environment as Record<string, string>).DOCKER_HOST, dockerHost);
    }
    assert.equal("host" in registered(runs.none, "docker").inputs, false);
    for (const { inputs } of some(commandsOf(runs.none))) {
        // A context chosen with `docker context use` is unknown to the provider.
        assert.equal((inputs.environment as Record<string, string>).DOCKER_CONTEXT, "default");
        assert.equal("DOCKER_HOST" in (inputs.environment as Record<string, string>), false);
    }
});

test("the deployment's id is made before anything else, once, and outlives all but a throw-away", () => {
    const { inputs, hooks, protect } = registered(runs.acme, "deployment");
    // Nothing that could ever change: every label would change with it.
    assert.deepEqual(Object.keys(inputs).sort(), ["addPreviousOutputInEnv", "create", "logging", "update"]);
    assert.equal(inputs.create, "exec sh components/docker/deployment.sh");
    assert.equal(inputs.update, inputs.create);
    assert.equal(inputs.addPreviousOutputInEnv, true);
    assert.deepEqual(hooks.beforeCreate, ["gate"]);
    assert.deepEqual([protect, registered(ephemeral, "deployment").protect], [true, false]);
    for (const { registrations } of everyRun) {
        // One question to the engine, which makes nothing, may come in between.
        const made = registrations.filter(({ name }) => name !== "network-ipv6-guard");
        const order = made.map(({ type }) => type);
        assert.deepEqual(order.filter((type) => !type.startsWith("synapse:")).slice(0, 2), [
            COMMAND,
            "pulumi:providers:docker",
        ]);
    }
    assert.ok(registered(runs.none, "docker").dependencies.includes("deployment"));
});

test("volumes with data say whose they are, and are not adopted from others without a word", () => {
    for (const [run, name] of [
        [runs.none, "synapse-data-volume"],
        [runs["local-ca"], "certificates-ca"],
        [runs.acme, "certificates-letsencrypt"],
    ] as const) {
        const volume = registered(run, name);
        assert.deepEqual(volume.inputs.labels, OWN_LABELS);
        assert.ok(volume.ignoreChanges.includes("labels"));
        assert.deepEqual(volume.hooks.beforeCreate, ["sweep"]);
    }
});

test("whatever an interrupted update may leave behind carries the stack's label and is swept away", () => {
    for (const run of everyRun) {
        for (const resource of run.registrations) {
            if (!/:(Container|Network)$/.test(resource.type)) continue;
            assert.deepEqual(resource.inputs.labels, OWN_LABELS);
            const guards = resource.name === "network-ipv6" ? ["ipv6"] : [];
            const beforeCreate = [...guards, "sweep"];
            assert.deepEqual(resource.hooks, { beforeCreate, beforeUpdate: [], others: [] });
            assert.equal(resource.deleteBeforeReplace, true, resource.name);
        }
    }
});

// --- Service containers -------------------------------------------------------------------------------------------

test("the services are these", () => {
    const names = (mode: Mode) =>
        servicesOf(runs[mode])
            .map(({ name }) => name)
            .sort();
    assert.deepEqual(names("none"), ["synapse-container"]);
    assert.deepEqual(names("synapse"), ["certificates-relay", "synapse-container"]);
    assert.deepEqual(names("files"), ["certificates-relay", "nginx-container", "synapse-container"]);
    assert.deepEqual(names("acme"), ["certbot-container", "nginx-container", "synapse-container"]);
    assert.deepEqual(names("local-ca"), ["certificate-renewal", "nginx-container", "synapse-container"]);
    assert.deepEqual(names("proxy"), ["nginx-container", "synapse-container"]);
});

/** A test for every service of every run. */
function everyService(
    behaviour: string,
    check: (inputs: Record<string, unknown>, service: Registration, run: Run) => void,
) {
    test(`every service ${behaviour}`, () => {
        const services = everyRun.flatMap((run) => servicesOf(run).map((service) => ({ run, service })));
        for (const { run, service } of some(services)) check(service.inputs, service, run);
    });
}

everyService("is replaced for what the provider would only pretend to change", (_inputs, service) => {
    assert.deepEqual(service.replaceOnChanges, ["mounts", "healthcheck", "tmpfs", "init", "#initerror"]);
    assert.equal(service.deleteBeforeReplace, true);
});

everyService("is stopped politely: the provider's own way is an immediate SIGKILL", (inputs) => {
    assert.ok(Number(inputs.destroyGraceSeconds) >= 10);
    assert.equal(inputs.stopTimeout, inputs.destroyGraceSeconds);
    assert.equal(inputs.stopSignal, "SIGTERM");
});

everyService("has a whole health check, with durations as Docker gives them back", (inputs) => {
    const { tests, interval, timeout, startPeriod, retries, ...others } = inputs.healthcheck as Record<
        string,
        unknown
    >;
    assert.deepEqual(others, {});
    assert.equal((tests as string[])[0], "CMD");
    assert.ok((tests as string[]).length > 1);
    for (const duration of [interval, timeout, startPeriod])
        assert.match(String(duration), /^([1-9]|[1-5][0-9])s$/);
    assert.ok(Number(retries) > 0);
});

everyService("is waited for, by a step that knows its health check", (inputs, { name }, run) => {
    assert.deepEqual([inputs.wait, inputs.mustRun], [undefined, true]);
    const { environment, create } = registered(run, `${name}-ready`).inputs;
    const { NAME, HEALTH, PATIENCE } = environment as Record<string, string>;
    assert.equal(create, "exec sh components/docker/ready.sh");
    assert.equal(NAME, inputs.name);
    assert.deepEqual(
        ["CMD", ...(HEALTH ?? "").split("\n")],
        (inputs.healthcheck as { tests: string[] }).tests,
    );
    assert.ok(Number(PATIENCE) >= 60);
});

everyService("has as much memory as it may, and no swap on top", (inputs) => {
    assert.ok(Number(inputs.memory) >= 64);
    assert.equal(inputs.memorySwap, inputs.memory);
});

everyService("has a read-only root, no new privileges, and no capabilities", (inputs, { name }) => {
    assert.equal(inputs.readOnly, true);
    assert.deepEqual(inputs.securityOpts, ["no-new-privileges:true"]);
    const { drops, adds } = inputs.capabilities as Record<string, string[]>;
    assert.deepEqual(drops, ["ALL"]);
    const kept: Readonly<Record<string, readonly string[]>> = {
        "certificates-relay": ["CAP_CHOWN", "CAP_DAC_READ_SEARCH"],
        "certificate-renewal": ["CAP_CHOWN"],
    };
    assert.deepEqual(adds, kept[name] ?? []);
    assert.equal("privileged" in inputs, false);
});

everyService(
    "runs as a user of its own; only what hands certificates on, and nobody can reach, is root",
    (inputs, { name }) => {
        if (name !== "certificates-relay" && name !== "certificate-renewal") {
            assert.match(String(inputs.user), /^[1-9][0-9]*:[1-9][0-9]*$/);
            return;
        }
        assert.equal(inputs.user, "0:0");
        assert.equal(inputs.networkMode, "none");
        assert.deepEqual(inputs.ports, []);
    },
);

everyService("is on one network by its alias, or on none", (inputs, _, run) => {
    assert.equal("networkMode" in inputs, !("networksAdvanced" in inputs));
    for (const { name, aliases } of (inputs.networksAdvanced ?? []) as {
        name: string;
        aliases: string[];
    }[]) {
        assert.equal(name, run === dual ? "synapse-test-ipv6" : "synapse-test");
        assert.equal(aliases.length, 1);
    }
});

everyService("bounds its log", (inputs) => {
    assert.equal(inputs.logDriver, "json-file");
    const { "max-size": size, "max-file": files } = inputs.logOpts as Record<string, string>;
    assert.match(size ?? "", /^[0-9]+m$/);
    assert.match(files ?? "", /^[0-9]+$/);
});

everyService("comes back after a crash and a reboot, unless it was stopped by hand", (inputs) => {
    assert.equal(inputs.restart, "unless-stopped");
});

everyService("keeps its log out of Pulumi's state in clear", (_inputs, { additionalSecretOutputs }) => {
    assert.deepEqual(additionalSecretOutputs, ["containerLogs"]);
});

everyService("writes to memory and to its own volumes alone", (inputs, { name }) => {
    const mounts = inputs.mounts as { target: string; readOnly: boolean }[];
    const written = mounts.filter(({ readOnly }) => !readOnly).map(({ target }) => target);
    const expected = {
        "synapse-container": mounts.some(({ target }) => target === "/announce")
            ? ["/data", "/announce"]
            : ["/data"],
        "nginx-container": ["/buffer"],
        "certificates-relay": ["/certificates"],
        "certificate-renewal": ["/ca", "/certificates"],
        "certbot-container": mounts.some(({ target }) => target === "/webroot")
            ? ["/etc/letsencrypt", "/certificates", "/webroot"]
            : ["/etc/letsencrypt", "/certificates"],
    };
    const own: Readonly<Record<string, readonly string[]>> = expected;
    assert.deepEqual(written, own[name]);
    for (const [path, options] of Object.entries(inputs.tmpfs as Record<string, string>)) {
        const [uid, gid] = String(inputs.user).split(":");
        assert.match(options, new RegExp(`^rw,size=[1-9][0-9]*m,uid=${uid},gid=${gid}$`), path);
    }
});

test("no command is given to Docker's provider, which refuses it", () => {
    for (const { name, provider } of everyRun.flatMap((run) => some(ofType(run, "command:local:Command"))))
        assert.doesNotMatch(provider, /pulumi:providers:docker/, name);
});

test("no container uses what drifts for ever or needs a newer Docker", () => {
    for (const { name, inputs } of everyRun.flatMap((run) => some(ofType(run, CONTAINER)))) {
        for (const argument of ["platform", "cpus", "volumes", "links", "rm", "attach", "logs"]) {
            assert.equal(argument in inputs, false, `${name}: ${argument}`);
        }
        assert.doesNotMatch(JSON.stringify(inputs), /"volumeOptions":/, name);
        // Docker refuses to write to a read-only root, even to a volume in it.
        assert.equal("uploads" in inputs && inputs.readOnly === true, false, name);
    }
});

// --- Commands -----------------------------------------------------------------------------------------------------

test("no command deletes, and none is replaced: that would run against data in use", () => {
    const commands = everyRun.flatMap((run) =>
        some(commandsOf(run)).map((command) => ({ ...command, calls: run.calls })),
    );
    for (const { name, inputs, replaceOnChanges, hooks, calls } of commands) {
        assert.equal("delete" in inputs, false, name);
        assert.equal("triggers" in inputs, false, name);
        // Pulumi's own; without triggers it never happens.
        assert.deepEqual(replaceOnChanges, ["triggers[*]"], name);
        // They look, and do nothing.
        const looks = hooks.beforeCreate.filter((hook) => !["loopback", "ipv6"].includes(hook));
        assert.deepEqual(
            looks,
            name === "verification-questions" && calls.length > 0 ? ["verification-outside"] : [],
        );
    }
});

test("a command does the same when it is made and when something about it changes", () => {
    for (const { name, inputs } of everyRun.flatMap((run) => some(commandsOf(run)))) {
        // Without `update`, `create` runs again.
        assert.equal(inputs.update ?? inputs.create, inputs.create, name);
        // A failure quotes the command.
        assert.match(
            String(inputs.create),
            /^exec (sh components\/docker\/(task|ready|ipv6)\.sh|node --import tsx scripts\/verify\.ts)$/,
        );
        assert.equal(inputs.logging, "stderr");
        assert.equal(inputs.addPreviousOutputInEnv, name === "synapse-data-generation", name);
    }
});

test("every script in a container but certbot is without network, and names its user", () => {
    for (const { name, inputs } of everyRun.flatMap((run) => some(commandsOf(run)))) {
        const { TASK_OPTIONS: options } = inputs.environment as Record<string, string>;
        if (options === undefined) continue;
        if (name === "certbot-issuance") {
            assert.match(options, /^--user\n101:101\n--tmpfs\n/);
            assert.equal((inputs.environment as Record<string, string>).TASK_NETWORK, "synapse-test");
            continue;
        }
        assert.match(options, /^--network\nnone\n--user\n\d+:\d+\n/, name);
    }
});

test("a new configuration is checked by Synapse before anything is touched, with its data read-only", () => {
    const check = registered(runs.files, "synapse-check");
    const { TASK_MOUNTS: mounts } = check.inputs.environment as Record<string, string>;
    assert.equal(mounts, "type=volume,dst=/data,readonly,src=\ntype=volume,dst=/compiled,readonly,src=");
    const [homeserver] = uploadsOf(runs.files, "synapse-config");
    assert.equal(check.inputs.stdin, homeserver?.content);
    assert.ok(registered(runs.files, "synapse-container").dependencies.includes("synapse-check"));
});

for (const [mode, resource, needs] of [
    ["none", "synapse-container", ["synapse-data-generation", "synapse-config-loader", "synapse-check"]],
    ["synapse", "synapse-container", ["certificates-copy", "synapse-config-loader"]],
    ["files", "nginx-container", ["nginx-configuration", "nginx-scripts-loader", "certificates-copy"]],
    ["files", "certificates-relay", ["certificates-copy", "certificates-scripts-loader"]],
    ["local-ca", "nginx-container", ["nginx-configuration", "nginx-scripts-loader", "certificates-issuance"]],
    ["local-ca", "certificate-renewal", ["certificates-issuance"]],
    ["acme", "nginx-container", ["certificates-ownership", "certificates-placeholder"]],
    [
        "acme",
        "certbot-issuance",
        ["nginx-container-ready", "synapse-container-ready", "certbot-scripts-loader"],
    ],
    ["acme", "certbot-container", ["certbot-issuance"]],
    ["acme", "verification-questions", ["certbot-issuance"]],
    ["none", "verification-questions", ["synapse-container-ready"]],
    ["files", "verification-questions", ["synapse-container-ready", "nginx-container-ready"]],
] as const) {
    test(`${resource} waits for ${needs.join(", ")} (${mode})`, () => {
        const before = everythingBefore(runs[mode], resource);
        for (const need of needs) assert.ok(before.has(need), need);
    });
}

test("a server that runs goes on while another's files are made ready", () => {
    // nginx would otherwise be held up, and replaced last, by whatever holds Synapse up.
    assert.equal(everythingBefore(runs.files, "nginx-container").has("synapse-container"), false);
});

/** What must be there before a resource, by its own words and those of the components that it stands in. */
function everythingBefore({ registrations }: Run, name: string): ReadonlySet<string> {
    const seen = new Set([name]);
    // A set that grows is walked to its new end.
    for (const waiting of seen) {
        for (const resource of registrations) {
            if (withoutHash(resource.name) !== waiting) continue;
            for (const other of [...resource.dependencies, resource.parent]) seen.add(withoutHash(other));
        }
    }
    return seen;
}

// --- ACME ---------------------------------------------------------------------------------------------------------

const environmentOf = (run: Run, name: string) =>
    registered(run, name).inputs.environment as Record<string, string>;

test("nginx reads certbot's answers, and cannot write them", () => {
    const mounts = registered(runs.acme, "nginx-container").inputs.mounts as { source: string }[];
    const webroot = mounts.find(({ source }) => source === "synapse-test-acme-webroot");
    assert.deepEqual(webroot, {
        type: "volume",
        source: "synapse-test-acme-webroot",
        target: "/etc/nginx/webroot",
        readOnly: true,
    });
    assert.match(String(registered(runs.acme, "nginx-configuration").inputs.stdin), /acme-challenge/);
    assert.doesNotMatch(String(registered(secretive, "nginx-configuration").inputs.stdin), /acme-challenge/);
});

test("certbot needs root once, with CHOWN alone", () => {
    const options = environmentOf(runs.acme, "certificates-ownership").TASK_OPTIONS ?? "";
    assert.match(options, /^--network\nnone\n--user\n0:0\n--cap-add\nCHOWN\n--env\n/);
    assert.equal(options.match(/--cap-add/g)?.length, 1);
    for (const name of ["certificates-placeholder", "certbot-issuance"]) {
        assert.doesNotMatch(environmentOf(runs.acme, name).TASK_OPTIONS ?? "", /--cap-add|0:0/, name);
    }
});

test("what certbot is asked for shows in previews, and is the same at first and at each renewal", () => {
    for (const run of [runs.acme, secretive]) {
        const asked = environmentOf(run, "certbot-issuance");
        const envs = registered(run, "certbot-container").inputs.envs as string[];
        for (const key of ["CERTIFICATE_NAME", "ACME_SERVER", "CERTBOT_ARGUMENTS"]) {
            assert.ok(envs.includes(`${key}=${asked[key]}`), key);
        }
    }
    assert.match(
        environmentOf(secretive, "certbot-issuance").CERTBOT_ARGUMENTS ?? "",
        /^--domain=\*\.example\.org$/m,
    );
});

test("credentials are handed over as secrets, by standard input alone, before they are needed", () => {
    const stores = new Map<string, string>([
        ["certbot-credentials.ini", SECRETS[0]],
        ["certbot-account.ini", `eab-kid = key-1\neab-hmac-key = ${SECRETS[1]}\n`],
    ]);
    for (const [name, value] of stores) {
        const { stdin } = registered(secretive, name).inputs;
        assert.deepEqual(stdin, { [SIGNATURE]: SECRET, value });
        assert.ok(everythingBefore(secretive, "certbot-issuance").has(name));
    }
    for (const { name, inputs } of secretive.registrations) {
        const { stdin, ...others } = inputs;
        const open = JSON.stringify(stores.has(name) ? others : { ...others, stdin });
        assert.doesNotMatch(open, /Hunter2|SHVudGVyMw/, name);
    }
});

test("secretConfig is handed over as a secret, by standard input alone, and stands nowhere else", () => {
    const { stdin, ...others } = registered(hiding, "synapse-secrets-store").inputs;
    assert.deepEqual(stdin, {
        [SIGNATURE]: SECRET,
        value: `email:\n  smtp_host: mail.example.org\n  smtp_pass: ${HIDDEN}\n`,
    });
    assert.doesNotMatch(JSON.stringify(others), new RegExp(HIDDEN));
    for (const { name, inputs } of hiding.registrations) {
        if (name !== "synapse-secrets-store")
            assert.doesNotMatch(JSON.stringify(inputs), new RegExp(HIDDEN), name);
    }
    assert.match(String(registered(hiding, "synapse-check").inputs.stdin), /smtp_host: mail\.example\.org/);
});

test("the check and the server read the same secrets, which are named by chance, and old ones go last", () => {
    const path = "/secrets/undefined ed25519:a_Test verify-key/homeserver.yaml";
    const envs = registered(hiding, "synapse-container").inputs.envs as string[];
    // Not marked as secret: so a preview shows that it changes.
    assert.ok(envs.includes(`SECRET_CONFIG=${path}`), envs.join());
    assert.equal(environmentOf(hiding, "synapse-check").SECRET_CONFIG, path);
    const mounts = registered(hiding, "synapse-container").inputs.mounts as { target: string }[];
    assert.deepEqual(
        mounts.find(({ target }) => target === "/secrets"),
        { type: "volume", source: "synapse-test-secrets", target: "/secrets", readOnly: true },
    );
    assert.ok(everythingBefore(hiding, "synapse-check").has("synapse-secrets-store"));
    assert.ok(everythingBefore(hiding, "synapse-old-secrets").has("synapse-container"));
});

test("without secretConfig there is nothing of it", () => {
    for (const { name } of runs.files.registrations) assert.doesNotMatch(name, /secrets/);
    assert.equal(environmentOf(runs.files, "synapse-check").SECRET_CONFIG, "");
});

// How the SDK marks a secret on the wire.
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

// --- Files in volumes ---------------------------------------------------------------------------------------------

interface Upload {
    readonly file: string;
    readonly content: string;
    readonly permissions: string;
}

function loaderOf(run: Run, name: string): Registration {
    const loaders = loadersOf(run).filter(({ parent }) => parent === name);
    assert.equal(loaders.length, 1);
    return loaders[0] as Registration;
}

const uploadsOf = (run: Run, name: string) => loaderOf(run, name).inputs.uploads as Upload[];

test("a container that fills a volume is never started", () => {
    for (const { inputs } of some(everyRun.flatMap(loadersOf))) {
        assert.deepEqual([inputs.mustRun, inputs.start], [false, false]);
        const [mount, ...others] = inputs.mounts as { source: string; target: string }[];
        assert.deepEqual(others, []);
        for (const { file, content, permissions } of some(inputs.uploads as Upload[])) {
            assert.ok(file.startsWith(`${mount?.target}/`));
            assert.notEqual(content, "");
            assert.match(permissions, /^0[45][45][45]$/, "nobody can change it");
        }
    }
});

test("volume, container and resources of some files are named by their content", () => {
    for (const run of everyRun) {
        for (const { name, parent, inputs } of some(loadersOf(run))) {
            const [, hash = ""] = /-([0-9a-f]{12})-loader$/.exec(name) ?? [];
            const volume = registered(run, `${parent}-${hash}-volume`);
            assert.match(String(volume.inputs.name), new RegExp(`^synapse-test-.*-${hash}$`));
            assert.equal(inputs.name, volume.inputs.name);
            assert.deepEqual(inputs.mounts, [
                { type: "volume", source: volume.inputs.name, target: "/files" },
            ]);
        }
    }
});

test("a service mounts the very volume that its files are in", () => {
    const mounted = (run: Run, service: string) =>
        (registered(run, service).inputs.mounts as { source: string }[]).map(({ source }) => source);
    for (const [service, files] of [
        ["synapse-container", "synapse-config"],
        ["nginx-container", "nginx-scripts"],
        ["certificates-relay", "certificates-scripts"],
    ] as const) {
        assert.ok(mounted(runs.files, service).includes(String(loaderOf(runs.files, files).inputs.name)));
    }
});

test("a changed setting makes another volume of the files that say it, and of no others", () => {
    const names = (run: Run) => Object.fromEntries(loadersOf(run).map(({ name, parent }) => [parent, name]));
    const before = names(runs.files);
    const { "synapse-config": config, ...others } = names(larger);
    assert.notEqual(config, before["synapse-config"]);
    assert.deepEqual({ ...others, "synapse-config": before["synapse-config"] }, before);
    assert.deepEqual(names(roomier), before);
});

test("a changed nginx.conf is taken up by the running nginx, not by another", () => {
    const conf = (run: Run) => registered(run, "nginx-configuration").inputs.stdin;
    assert.notEqual(conf(larger), conf(runs.files));
    assert.deepEqual(
        registered(larger, "nginx-container").inputs,
        registered(runs.files, "nginx-container").inputs,
    );
});

// --- Ports --------------------------------------------------------------------------------------------------------

interface Port {
    readonly internal: number;
    readonly external?: number;
    readonly ip: string;
}

const portsOf = (run: Run, name: string) => registered(run, name).inputs.ports as Port[];

test("Synapse's plain HTTP port is published to the Docker host itself alone", () => {
    for (const run of Object.values(runs)) {
        const plain = portsOf(run, "synapse-container").filter(({ internal }) => internal % 10_000 === 8008);
        assert.deepEqual(plain, [{ internal: 8008, external: 8008, ip: "127.0.0.1" }]);
    }
});

test("behind nginx nothing else of Synapse is published", () => {
    for (const mode of ["none", "files", "local-ca", "proxy"] as const) {
        assert.equal(portsOf(runs[mode], "synapse-container").length, 1);
    }
});

test("each of two addresses gets a port of its own inside the container", () => {
    assert.deepEqual(portsOf(dual, "nginx-container"), [
        { internal: 80, external: 80, ip: "0.0.0.0" },
        { internal: 443, external: 443, ip: "0.0.0.0" },
        { internal: 8448, external: 8448, ip: "0.0.0.0" },
        { internal: 10080, external: 80, ip: "::" },
        { internal: 10443, external: 443, ip: "::" },
        { internal: 18448, external: 8448, ip: "::" },
    ]);
    assert.deepEqual(portsOf(runs.synapse, "synapse-container").slice(1), [
        { internal: 8448, external: 8448, ip: "0.0.0.0" },
    ]);
});

test("the servers listen on every port that is published", () => {
    for (const run of everyRun) {
        const [homeserver] = uploadsOf(run, "synapse-config");
        const published = portsOf(run, "synapse-container");
        for (const { internal } of run === dual ? published : some(published)) {
            assert.match(homeserver?.content ?? "", new RegExp(`^ +- port: ${internal}$`, "m"));
        }
        if (run.registrations.every(({ name }) => name !== "nginx-container")) continue;
        const conf = String(registered(run, "nginx-configuration").inputs.stdin);
        for (const { internal } of some(portsOf(run, "nginx-container"))) {
            assert.match(conf, new RegExp(`^ +listen ${internal} `, "m"));
        }
    }
});

test("a port that a throw-away stack leaves out is left to Docker, on one address", () => {
    assert.deepEqual(portsOf(ephemeral, "nginx-container"), [
        { internal: 80, ip: "0.0.0.0" },
        { internal: 443, ip: "0.0.0.0" },
        { internal: 8448, ip: "0.0.0.0" },
    ]);
    assert.deepEqual(portsOf(ephemeral, "synapse-container"), [{ internal: 8008, ip: "127.0.0.1" }]);
});

// --- Verification and outputs -------------------------------------------------------------------------------------

test("a stack says where clients and servers connect", () => {
    for (const [mode, clientUrl, federationAddress, publishedPorts] of [
        ["none", "http://localhost:8008", "localhost:8008", { synapse: 8008 }],
        [
            "synapse",
            "https://matrix.example.org:8448",
            "matrix.example.org:8448",
            { synapse: 8008, federation: 8448 },
        ],
        [
            "files",
            "https://matrix.example.org",
            "matrix.example.org:8448",
            { synapse: 8008, http: 80, https: 443, federation: 8448 },
        ],
        ["proxy", "https://matrix.example.org", "matrix.example.org:443", { synapse: 8008, http: 8080 }],
    ] as const) {
        const { outputs } = runs[mode];
        assert.equal(outputs.clientUrl, clientUrl);
        assert.equal(outputs.federationAddress, federationAddress);
        assert.deepEqual(outputs.publishedPorts, publishedPorts);
        assert.equal(outputs.verifyKey, "ed25519:a_Test verify-key");
    }
});

test("federation on the clients' port, or turned off, publishes no port of its own", () => {
    const ports = { synapse: 8008, http: 80, https: 443 };
    for (const [run, federationAddress] of [
        [together, "matrix.example.org:443"],
        [alone, null],
    ] as const) {
        assert.deepEqual(run.outputs.publishedPorts, ports);
        assert.equal(run.outputs.federationAddress, federationAddress);
        assert.deepEqual(
            portsOf(run, "nginx-container").map(({ external }) => external),
            [80, 443],
        );
    }
});

test("with IPv6 the network has a subnet of its own, once it is sure that clients are kept apart", () => {
    const { inputs, ignoreChanges, dependencies, hooks } = registered(dual, "network-ipv6");
    assert.equal(inputs.ipv6, true);
    // Another one: Pulumi would take the running server away with a network that it replaces.
    assert.notEqual(inputs.name, registered(runs.files, "network").inputs.name);
    const [{ subnet = "" } = {}] = inputs.ipamConfigs as { subnet?: string }[];
    assert.match(subnet, /^fd[0-9a-f]{2}(:[0-9a-f]{4}){3}::\/64$/);
    // Docker adds one for IPv4, which is no drift.
    assert.deepEqual(ignoreChanges, ["ipamConfigs"]);
    assert.ok(dependencies.includes("network-ipv6-guard"));
    assert.deepEqual(hooks.beforeCreate, ["ipv6", "sweep"]);
    const [homeserver] = uploadsOf(dual, "synapse-config");
    assert.match(homeserver?.content ?? "", /bind_addresses:\n +- '::'\n +- 0\.0\.0\.0/);
    assert.match(String(registered(dual, "nginx-configuration").inputs.stdin), /listen \[::\]:10443 ssl/);
    assert.equal("ipv6" in registered(runs.files, "network").inputs, false);
});

test("Synapse announces its restarts to an nginx that holds requests, and else loses no time with it", () => {
    const announcing = (run: Run) => {
        const { envs, mounts } = registered(run, "synapse-container").inputs;
        const sees = (mounts as { target: string }[]).some(({ target }) => target === "/announce");
        return [sees, (envs as string[]).filter((one) => one.startsWith("ANNOUNCE=")).join()];
    };
    assert.deepEqual(announcing(runs.files), [true, "ANNOUNCE=/announce/restarting"]);
    assert.deepEqual(announcing(together), [false, "ANNOUNCE="]);
});

test("Synapse's own port is published nowhere when it is off", () => {
    assert.deepEqual(portsOf(dual, "synapse-container"), []);
    assert.deepEqual(dual.outputs.publishedPorts, { http: 80, https: 443, federation: 8448 });
    const services = (asked(dual).listeners as { serves: string[] }[]).flatMap(({ serves }) => serves);
    assert.deepEqual(services, ["clients", "federation", "redirect"]);
    assert.match(String(dual.outputs.registerUser), /^docker exec /);
});

test("ports that Docker picked are outputs, and stand in the URL", () => {
    const { clientUrl, publishedPorts } = ephemeral.outputs;
    assert.deepEqual(publishedPorts, { synapse: 32768, http: 32768, https: 32769, federation: 32770 });
    assert.equal(clientUrl, "https://matrix.example.org:32769");
});

function asked(run: Run): Record<string, unknown> {
    const { EXPECTATIONS = "" } = registered(run, "verification-questions").inputs.environment as Record<
        string,
        string
    >;
    return JSON.parse(EXPECTATIONS) as Record<string, unknown>;
}

test("the running server is asked what the settings promise", () => {
    const everywhere = ["0.0.0.0"];
    const operator = { serves: ["operator"], port: 8008, addresses: ["127.0.0.1"], tls: false };
    assert.deepEqual(asked(runs.files), {
        serverName: "example.org",
        publicHost: "matrix.example.org",
        clientUrl: "https://matrix.example.org",
        federationAddress: "matrix.example.org:8448",
        verifyKey: "ed25519:a_Test verify-key",
        listeners: [
            { serves: ["clients"], port: 443, addresses: everywhere, tls: true },
            { serves: ["federation"], port: 8448, addresses: everywhere, tls: true },
            { serves: ["redirect"], port: 80, addresses: everywhere, tls: false },
            operator,
        ],
        proxied: true,
        trusted: true,
        authorities: [],
        container: "synapse-test",
        logsRequests: true,
        wellKnown: { client: {}, server: {} },
    });
    assert.deepEqual(asked(runs.synapse).listeners, [
        { serves: ["clients", "federation"], port: 8448, addresses: everywhere, tls: true },
        operator,
    ]);
    const { proxied, listeners } = asked(runs.none);
    assert.equal(proxied, false);
    assert.deepEqual(listeners, [{ ...operator, serves: ["clients", "federation"] }]);
});

// --- A proxy of the operator's ------------------------------------------------------------------------------------

test("for a proxy on the Docker host nginx has plain HTTP alone, on the loopback address, and no certificate", () => {
    assert.deepEqual(portsOf(runs.proxy, "nginx-container"), [
        { internal: 80, external: 8080, ip: "127.0.0.1" },
    ]);
    const mounts = registered(runs.proxy, "nginx-container").inputs.mounts as { target: string }[];
    assert.ok(!mounts.some(({ target }) => target.includes("certificates")));
    const conf = String(registered(runs.proxy, "nginx-configuration").inputs.stdin);
    assert.match(conf, /^ +include \/run\/host\.conf;$/m);
    assert.doesNotMatch(conf, /ssl|set_real_ip_from/);
});

test("a proxy elsewhere is the only one to be believed, and comes to each address that was set", () => {
    assert.deepEqual(portsOf(behindOther, "nginx-container"), [
        { internal: 80, external: 8888, ip: "10.0.0.2" },
        { internal: 10080, external: 8888, ip: "10.0.0.3" },
    ]);
    const conf = String(registered(behindOther, "nginx-configuration").inputs.stdin);
    assert.deepEqual(conf.match(/set_real_ip_from .*/g), ["set_real_ip_from 10.0.0.5;"]);
    assert.doesNotMatch(conf, /host\.conf/);
    assert.equal(behindOther.outputs.clientUrl, "https://matrix.example.org:8443");
    assert.equal(behindOther.outputs.federationAddress, null);
    assert.equal(asked(behindOther).believesHost, false);
});

test("what is behind a proxy is asked by plain HTTP, and says the proxy's URL", () => {
    const { listeners, clientUrl, federationAddress, proxied, believesHost } = asked(runs.proxy);
    const addresses = ["127.0.0.1"];
    assert.deepEqual(listeners, [
        { serves: ["clients", "federation"], port: 8080, addresses, tls: false },
        { serves: ["operator"], port: 8008, addresses, tls: false },
    ]);
    assert.deepEqual(
        { clientUrl, federationAddress, proxied, believesHost },
        {
            clientUrl: "https://matrix.example.org",
            federationAddress: "matrix.example.org:443",
            proxied: true,
            believesHost: true,
        },
    );
    const [homeserver] = uploadsOf(runs.proxy, "synapse-config");
    assert.match(homeserver?.content ?? "", /^public_baseurl: https:\/\/matrix\.example\.org\/$/m);
    assert.match(homeserver?.content ?? "", /x_forwarded: true/);
});

test("where a proxy serves is known, whatever port Docker picks for nginx", () => {
    const { clientUrl, federationAddress, publishedPorts } = behindUnknown.outputs;
    assert.equal(clientUrl, "https://matrix.example.org:8443");
    assert.equal(federationAddress, "matrix.example.org:8443");
    assert.deepEqual(publishedPorts, { synapse: 32768, http: 32768 });
    const conf = String(registered(behindUnknown, "nginx-configuration").inputs.stdin);
    assert.match(conf, /"base_url":"https:\/\/\$client_authority"/);
    assert.match(conf, /default "matrix\.example\.org:8443";/);
});

test("what the internet finds at the proxy is looked at, although nginx is on the loopback address", () => {
    const [call] = runs.proxy.calls;
    const { EXPECTATIONS = "{}" } = (call?.environment ?? {}) as Record<string, string>;
    const { clientPort, federationPort, publishesIpv6, behind } = JSON.parse(EXPECTATIONS) as Record<
        string,
        unknown
    >;
    assert.deepEqual(
        { clientPort, federationPort, publishesIpv6, behind },
        { clientPort: 443, federationPort: 443, publishesIpv6: true, behind: "127.0.0.1:8080" },
    );
    assert.match(
        String(runs.proxy.outputs.dnsRecords),
        /^matrix\.example\.org\. .* as your proxy is reached,/,
    );
});

// --- What is asked ------------------------------------------------------------------------------------------------

test("a port that Docker picked is asked at the one address that it was picked for", () => {
    const [clients] = asked(ephemeral).listeners as unknown[];
    assert.deepEqual(clients, { serves: ["clients"], port: 32769, addresses: ["0.0.0.0"], tls: true });
});

test("certificates of Let's Encrypt's staging server alone need not be trusted, and the configured CAs are", () => {
    const [staging, other] = runsOfOtherCas;
    assert.equal(asked(runs.acme).trusted, true);
    assert.equal(asked(staging).trusted, false);
    assert.equal(asked(other).trusted, true);
    assert.deepEqual(asked(other).authorities, [CA_BUNDLE]);
    assert.deepEqual(asked(runs["local-ca"]).authorities, [runs["local-ca"].outputs.caCertificate]);
});

test("what the internet does for a server is looked at anew each time, and no command remembers it", () => {
    const [call, ...others] = runs.files.calls;
    assert.deepEqual(others, []);
    assert.equal(call?.command, "exec node --import tsx scripts/outside.ts");
    const { EXPECTATIONS = "" } = call.environment as Record<string, string>;
    assert.deepEqual(JSON.parse(EXPECTATIONS), {
        serverName: "example.org",
        publicHost: "matrix.example.org",
        clientUrl: "https://matrix.example.org",
        federationAddress: "matrix.example.org:8448",
        proxied: true,
        trusted: true,
        authorities: [],
        wellKnown: { client: {}, server: {} },
        clientPort: 443,
        federationPort: 8448,
        publishesIpv6: false,
        verifyKey: "ed25519:a_Test verify-key",
    });
    assert.deepEqual(runs.files.outputs.warnings, []);
    assert.match(JSON.stringify(dual.calls), /publishesIpv6\\":true/);
});

test("nothing is asked of the internet for a server that is not on it", () => {
    for (const run of [runs.none, ephemeral, loopback, unnamed]) assert.deepEqual(run.calls, []);
});

test("another container makes the server be asked again", () => {
    const changes = (run: Run) =>
        (registered(run, "verification-questions").inputs.environment as Record<string, string>).CHANGES;
    assert.equal(changes(runs.none)?.trim(), "synapse-container-id");
    assert.match(changes(runs.files) ?? "", /^synapse-container-id nginx-container-id\/[0-9a-f]{12}$/);
});
