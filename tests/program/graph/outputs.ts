import assert from "node:assert/strict";
import { test } from "node:test";
import { asked, portsOf, registered, uploadsOf } from "./looks.ts";
import { alone, dockerHost, dual, ephemeral, production, type Run, runs, together } from "./runs.ts";

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
    assert.deepEqual(hooks.beforeCreate, ["network-ipv6-guard", "sweep"]);
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
});

test("ports that Docker picked are outputs, and stand in the URL", () => {
    const { clientUrl, publishedPorts } = ephemeral.outputs;
    assert.deepEqual(publishedPorts, { synapse: 32768, http: 32768, https: 32769, federation: 32770 });
    assert.equal(clientUrl, "https://matrix.example.org:32769");
});

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

test("other stacks are told where the server is on the Docker host", () => {
    const { networkName, synapseUrl, containerName, dataVolumeName, certificateExpiry } = runs.files.outputs;
    assert.deepEqual(
        { networkName, synapseUrl, containerName, dataVolumeName, certificateExpiry },
        {
            networkName: "synapse-test",
            synapseUrl: "http://synapse:8008",
            containerName: "synapse-test",
            dataVolumeName: "synapse-test-data",
            certificateExpiry: null,
        },
    );
    assert.equal(runs.files.outputs.dockerHost, null);
    assert.equal(production.outputs.dockerHost, dockerHost);
});

test("an up ends with what was verified and what to do next, for the very stack", () => {
    const steps = String(runs.files.outputs.nextSteps).split("\n");
    assert.equal(steps[0], "example.org works. It was asked, and answered");
    assert.ok(steps.includes("  make the first user  npm run user -- add alice --admin --stack test"));
    assert.ok(steps.some((line) => line.includes("https://federationtester.matrix.org/#example.org")));
    assert.ok(!steps.some((line) => line.includes("trust")), "there is no private CA");
    const ofPrivateCa = String(runs["local-ca"].outputs.nextSteps);
    assert.match(ofPrivateCa, /^ {2}trust its CA +npm run trust -- --stack test$/m);
    assert.doesNotMatch(String(alone.outputs.nextSteps), /federationtester/);
});
