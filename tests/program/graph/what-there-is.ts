import assert from "node:assert/strict";
import { test } from "node:test";
import { CONTAINER, VOLUME, withoutHash } from "./looks.ts";
import { elsewhere, ephemeral, inFile, NAMED, production, type Run, runProgram, runs } from "./runs.ts";

const EVERY_SERVER = [
    "synapse:index:Homeserver homeserver",
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
const POSTGRES = [
    "docker:index/remoteImage:RemoteImage postgres-image",
    "synapse:index:Postgres postgres",
    "docker:index/volume:Volume postgres-volume < postgres",
    "docker:index/volume:Volume postgres-passwords < postgres",
    "command:local:Command postgres-initialization < postgres",
    "command:local:Command postgres-upgrade < postgres",
    "command:local:Command postgres-let-in < postgres",
    "synapse:index:FileVolume postgres-config < postgres",
    "docker:index/volume:Volume postgres-config-<hash>-volume < postgres-config",
    "docker:index/container:Container postgres-config-<hash>-loader < postgres-config",
    "docker:index/container:Container postgres-container < postgres",
    "command:local:Command postgres-container-ready < postgres",
    "command:local:Command synapse-database < synapse",
    "command:local:Command synapse-migration < synapse",
    "docker:index/volume:Volume synapse-data-dumps < synapse-data",
    "command:local:Command synapse-dump < synapse",
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
    ["none", EVERY_SERVER],
    ["synapse", [...EVERY_SERVER, ...HOST_CERTIFICATE]],
    ["files", [...EVERY_SERVER, ...HOST_CERTIFICATE, ...PROXY]],
    ["acme", [...EVERY_SERVER, ...ACME, ...PROXY]],
    ["local-ca", [...EVERY_SERVER, ...LOCAL_CA, ...PROXY]],
    ["proxy", [...EVERY_SERVER, ...PROXY]],
] as const) {
    test(`a stack with tls.mode ${mode} is this and nothing else`, () => {
        const { registrations, failure } = runs[mode];
        assert.equal(failure, undefined);
        assert.deepEqual(listed(registrations), [...expected, ...POSTGRES].sort());
    });
}

test("a stack on SQLite has nothing of PostgreSQL", () => {
    assert.deepEqual(listed(inFile.registrations), [...EVERY_SERVER, ...LOCAL_CA, ...PROXY].sort());
});

test("a stack on another's PostgreSQL has what it takes to reach it", () => {
    const expected = [
        ...EVERY_SERVER,
        ...HOST_CERTIFICATE,
        ...PROXY,
        "synapse:index:ExternalDatabase database",
        "docker:index/remoteImage:RemoteImage postgres-image",
        "docker:index/volume:Volume synapse-data-dumps < synapse-data",
        "command:local:Command synapse-dump < synapse",
        "docker:index/volume:Volume database-passwords < database",
        "command:local:Command database-store < database",
        "command:local:Command synapse-database < synapse",
        "command:local:Command synapse-migration < synapse",
    ];
    assert.deepEqual(listed(elsewhere.registrations), expected.sort());
});

function listed(registrations: Run["registrations"]): string[] {
    return registrations
        .map(({ type, name, parent }) =>
            `${type} ${name}${parent === "" ? "" : ` < ${parent}`}`.replace(/-[0-9a-f]{12}-/, "-<hash>-"),
        )
        .sort();
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
