import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer as createNetServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, test } from "node:test";
import { createServer, type Server } from "node:tls";
import { afterwards, askAgain, whileStarting } from "../../components/verification/afterwards.ts";
import type { Expectations } from "../../components/verification/expectations.ts";
import { FakeDocker } from "../support/fake-docker.ts";
import { TestCa } from "../support/test-ca.ts";

/** What is looked at after each deployment, whether or not it changed anything. */

const ca = new TestCa();
const servers: Server[] = [];
after(() => {
    for (const server of servers) server.close();
    ca.remove();
});

/** What is expected of a server on a port of this machine. */
function expecting(port: number): Expectations {
    return {
        serverName: "matrix.test",
        publicHost: "matrix.test",
        clientUrl: "https://matrix.test",
        federationAddress: undefined,
        wellKnown: { client: {}, server: {} },
        proxied: true,
        trusted: true,
        authorities: [],
        listeners: [{ serves: ["clients"], port, addresses: ["127.0.0.1"], tls: true }],
        verifyKey: "",
        container: "",
        logsRequests: false,
    };
}

async function serving(pair: { readonly cert: string; readonly key: string }): Promise<number> {
    const server = createServer(pair);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
}

for (const [what, pair, end] of [
    ["is good", ca.issue("matrix.test"), "2099-01-01T00:00:00.000Z"],
    ["is for another name", ca.issue("other.test"), "2099-01-01T00:00:00.000Z"],
    ["has ended", ca.issueEnded("matrix.test"), "2020-02-01T00:00:00.000Z"],
] as const) {
    test(`the end of a certificate that ${what} is told`, async () => {
        const found = await afterwards(expecting(await serving(pair)), null, undefined);
        assert.equal(found.certificateExpiry, end);
        const warned = found.warnings.some((warning) => /matrix\.test serves ended on 2020-/.test(warning));
        assert.equal(warned, end.startsWith("2020"));
    });
}

test("where nobody answers, or not in time, there is no end, and nothing fails", async (context) => {
    const free = await serving(ca.issue("matrix.test"));
    servers.pop()?.close();
    const silent = createNetServer();
    context.after(() => silent.close());
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    for (const port of [free, (silent.address() as AddressInfo).port]) {
        const found = await afterwards(expecting(port), null, undefined, 500);
        assert.deepEqual(found, { warnings: [], certificateExpiry: null });
    }
});

test("a DNS server that is none is a warning, and fails nothing", async (context) => {
    process.env.VERIFICATION_DNS = "not-an-address";
    context.after(() => delete process.env.VERIFICATION_DNS);
    const { listeners: _, ...appearance } = expecting(1);
    const outside = {
        ...appearance,
        publicHost: "matrix.example.org",
        clientPort: 443,
        federationPort: undefined,
        publishesIpv6: false,
    };
    const { warnings } = await afterwards(expecting(1), outside, undefined, 500);
    assert.match(warnings.join(), /could not be looked at what the internet does/);
});

test("one address that is silent hides nothing of the others", async (context) => {
    const silent = createNetServer();
    context.after(() => silent.close());
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const refusing = await serving(ca.issue("matrix.test"));
    servers.pop()?.close();
    const ports = [(silent.address() as AddressInfo).port, refusing];
    const listeners = ports.map((port) => ({
        serves: ["clients"] as const,
        port,
        addresses: ["127.0.0.1"],
        tls: true,
    }));
    const { holds, failures } = await askAgain({ ...expecting(0), listeners }, undefined, 500);
    assert.deepEqual(holds, []);
    assert.match(
        failures[0] ?? "",
        new RegExp(`at 127.0.0.1:${ports[0]} does not work\\.\n.*no answer in time`),
    );
    assert.match(failures[1] ?? "", new RegExp(`at 127.0.0.1:${ports[1]} does not work\\.\n.*ECONNREFUSED`));
});

for (const [what, states, least, most] of [
    ["has just been started", ["starting", "starting", "healthy"], 3, 3],
    ["is healthy", ["healthy"], 1, 1],
    ["is not there", [], 1, 1],
] as const) {
    test(`a container that ${what} is ${least > 1 ? "" : "not "}waited for`, async (context) => {
        const directory = mkdtempSync(join(tmpdir(), "starting-"));
        const { PATH } = process.env;
        context.after(() => {
            process.env.PATH = PATH;
            rmSync(directory, { recursive: true });
        });
        const counted = join(directory, "asked");
        writeFileSync(
            join(directory, "docker"),
            `#!/bin/sh\necho . >>${counted}\nset -- ${states.join(" ")}\nshift $(($(wc -l <${counted}) - 1))\necho "$1"\n[ $# -gt 0 ]\n`,
            { mode: 0o755 },
        );
        process.env.PATH = `${directory}${delimiter}${PATH}`;
        await whileStarting(["synapse"], 10_000);
        const asked = readFileSync(counted, "utf8").trim().split("\n").length;
        assert.ok(asked >= least && asked <= most, String(asked));
    });
}

test("a disk that is nearly full is a warning, and one that cannot be asked is none", async () => {
    const docker = new FakeDocker();
    const df = (free: number) =>
        `[ "$*" = "exec synapse df -Pk /data" ] && printf 'Filesystem\\n/dev/vda1 20971520 0 ${free} 0%% /data\\n'`;
    const warnings = async () =>
        (await afterwards({ ...expecting(1), container: "synapse" }, null, undefined, 2000)).warnings;
    docker.runs(df(1_048_576));
    assert.match(
        (await warnings()).join(),
        /^the disk with the data of synapse is nearly full: 1\.0 GiB of 20\.0 GiB/,
    );
    docker.runs(df(10_485_760));
    assert.deepEqual(await warnings(), []);
    docker.runs("exit 1");
    assert.deepEqual(await warnings(), []);
});
