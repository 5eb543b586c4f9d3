import assert from "node:assert/strict";
import { test } from "node:test";
import { some } from "../../support/some.ts";
import { CONTAINER, ofType, registered, servicesOf } from "./looks.ts";
import { dual, everyRun, type Mode, type Registration, type Run, runs } from "./runs.ts";

test("the services are these", () => {
    const names = (mode: Mode) =>
        servicesOf(runs[mode])
            .map(({ name }) => name)
            .filter((name) => name !== "postgres-container")
            .sort();
    for (const run of Object.values(runs)) registered(run, "postgres-container");
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

everyService("is stopped politely: the provider's own way is an immediate SIGKILL", (inputs, { name }) => {
    assert.ok(Number(inputs.destroyGraceSeconds) >= 10);
    assert.equal(inputs.stopTimeout, inputs.destroyGraceSeconds);
    // At SIGTERM PostgreSQL waits for its clients.
    assert.equal(inputs.stopSignal, name === "postgres-container" ? "SIGINT" : "SIGTERM");
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
        "postgres-container": ["/var/lib/postgresql/data"],
        "nginx-container": ["/buffer"],
        "backup-container": mounts.some(({ target }) => target === "/repository")
            ? ["/state", "/repository", "/pipe"]
            : ["/state", "/pipe"],
        "backup-database": mounts.some(({ target }) => target === "/data") ? ["/pipe", "/data"] : ["/pipe"],
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
