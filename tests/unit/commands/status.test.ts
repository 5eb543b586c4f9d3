import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { statusOf } from "../../../commands/status/certificate.ts";
import {
    faultOf,
    type Inspected,
    NAME_LABEL,
    type ServiceStatus,
    servicesOf,
} from "../../../commands/status/containers.ts";
import { faultsOf, inWords } from "../../../commands/status/report.ts";
import { LABELS } from "../../../components/docker/ownership.ts";
import { isNearlyFull, parseDf } from "../../../components/verification/disk.ts";

const SERVER = { containerName: "synapse", publishedPorts: { synapse: 8008, https: 443 } };
const IMAGE = "sha256:0123";

function container(name: string, status = "running", more: Partial<Inspected> = {}): Inspected {
    return {
        Name: `/${name}`,
        Image: IMAGE,
        RestartCount: 0,
        State: { Status: status, StartedAt: "2026-02-03T04:05:06.7Z", Health: { Status: "healthy" } },
        Config: { Labels: { "org.opencontainers.image.version": "1.2.3" } },
        HostConfig: { RestartPolicy: { Name: "unless-stopped" } },
        Mounts: [],
        ...more,
    };
}

test("a stack's containers are found by the label that deployments give them", () => {
    assert.equal(NAME_LABEL, LABELS.prefix);
});

describe("services", () => {
    test("are told by what follows the stack's name, Synapse first", () => {
        const services = servicesOf(SERVER, [container("synapse-nginx"), container("synapse")], {
            [IMAGE]: "example/synapse:1",
        });
        assert.deepEqual(
            services.map(({ service }) => service),
            ["synapse", "nginx"],
        );
        assert.deepEqual(services[0], {
            service: "synapse",
            container: "synapse",
            state: "running",
            health: "healthy",
            image: "example/synapse:1",
            version: "1.2.3",
            since: "2026-02-03T04:05:06.7Z",
            restarts: 0,
        });
    });

    test("are not the containers that only brought files to a volume", () => {
        const loader = container("synapse-config-0123456789ab", "created", {
            HostConfig: { RestartPolicy: { Name: "no" } },
        });
        const services = servicesOf(SERVER, [container("synapse"), container("synapse-nginx"), loader]);
        assert.equal(services.length, 2);
    });

    test("are missing where Synapse, or an nginx with published ports, was removed", () => {
        const state = (services: readonly ServiceStatus[]) =>
            services.map(({ container, state }) => `${container} ${state}`);
        assert.deepEqual(state(servicesOf(SERVER, [])), ["synapse missing", "synapse-nginx missing"]);
        assert.deepEqual(state(servicesOf({ ...SERVER, publishedPorts: { synapse: 8008 } }, [])), [
            "synapse missing",
        ]);
    });
});

describe("a fault is", () => {
    const fault = (more: Inspected) => servicesOf(SERVER, [more]).slice(0, 1).map(faultOf)[0];
    const health = (Status: string) =>
        container("synapse", "running", {
            State: { Status: "running", StartedAt: "2026-02-03T04:05:06Z", Health: { Status } },
        });

    test("a service that does not run", () => {
        assert.equal(fault(container("synapse", "exited")), "synapse does not run: it is exited");
        assert.equal(fault(container("synapse", "restarting")), "synapse does not run: it is restarting");
    });

    test("a service that is unhealthy, but not one that is starting", () => {
        assert.equal(fault(health("unhealthy")), "synapse is unhealthy");
        assert.equal(fault(health("starting")), undefined);
        assert.equal(fault(health("healthy")), undefined);
    });

    test("a certificate that has expired, but not one that could not be asked for", () => {
        const now = new Date("2026-02-03T00:00:00Z");
        assert.deepEqual(faultsOf([], statusOf("Feb  1 00:00:00 2026 GMT", now)), [
            "the certificate has expired on 2026-02-01",
        ]);
        assert.deepEqual(faultsOf([], statusOf("Feb  3 00:00:01 2026 GMT", now)), []);
        assert.deepEqual(faultsOf([], { unknown: "no answer" }), []);
        assert.deepEqual(faultsOf([], null), []);
    });
});

test("a certificate's days are whole ones", () => {
    const days = (end: string) => statusOf(end, new Date("2026-02-03T12:00:00Z"));
    assert.deepEqual(days("Feb 13 12:00:00 2026 GMT"), { expires: "2026-02-13T12:00:00.000Z", days: 10 });
    assert.deepEqual(days("Feb 13 11:59:59 2026 GMT"), { expires: "2026-02-13T11:59:59.000Z", days: 9 });
    assert.ok("unknown" in days("whenever"));
});

test("free space is read from what df prints, and from nothing else", () => {
    const printed =
        "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda1 1000 400 600 40% /data\n";
    assert.deepEqual(parseDf(printed), { size: 1_024_000, free: 614_400 });
    assert.equal(parseDf("df: /data: No such file or directory"), undefined);
    assert.equal(parseDf(""), undefined);
});

test("a disk is nearly full with less than a tenth of it free, and less than 10 GiB", () => {
    const gib = 2 ** 30;
    for (const [size, free, nearly] of [
        [20, 1.9, true],
        [20, 2, false],
        [1000, 9.9, true],
        [1000, 10, false],
        [5, 0, true],
    ] as const)
        assert.equal(isNearlyFull({ size: size * gib, free: free * gib }), nearly, `${free} of ${size}`);
});

test("people are told what is not well, and otherwise that all is", () => {
    const report = {
        stack: "local",
        clientUrl: "https://localhost:8443",
        synapseVersion: "1.2.3",
        services: servicesOf(SERVER, [container("synapse"), container("synapse-nginx", "exited")]),
        certificate: { expires: "2026-03-01T00:00:00.000Z", days: 26 },
        volumes: [{ name: "synapse-data", size: "1.5MB" }],
        disk: { size: 2 ** 31, free: 2 ** 30, nearlyFull: false },
        sizes: {
            database: { kind: "postgres" as const, bytes: 3 * 2 ** 30 },
            media: { local: 2 ** 20, remote: 0 },
        },
        backup: null,
        warnings: ["no AAAA record"],
        faults: ["synapse-nginx does not run: it is exited"],
    };
    const text = inWords(report);
    for (const said of [
        /^certificate {2}26 days left, until 2026-03-01$/m,
        /^disk +1\.0 GiB of 2\.0 GiB free$/m,
        /^database +3\.0 GiB, PostgreSQL$/m,
        /^media +1\.0 MiB of this server's users, 0\.0 MiB of other servers$/m,
        /^ {2}synapse {2}running, healthy +since 2026-02-03 04:05 UTC +1\.2\.3/m,
        /^ {2}synapse-data {2}1\.5MB$/m,
        /^ {2}- no AAAA record$/m,
        /Not well\n {2}- synapse-nginx does not run: it is exited$/,
    ])
        assert.match(text, said);
    assert.match(inWords({ ...report, faults: [] }), /All is well\.$/);
    assert.match(inWords({ ...report, volumes: null }), /Docker did not say in time/);
    const full = { size: 2 ** 31, free: 2 ** 20, nearlyFull: true };
    assert.match(inWords({ ...report, disk: full }), /^disk .* free: nearly full$/m);
    assert.match(inWords({ ...report, sizes: null }), /^database +not known$/m);
    assert.match(inWords({ ...report, certificate: null }), /^certificate {2}none$/m);
});
