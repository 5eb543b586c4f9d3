import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { docker, images } from "../support/homeserver.ts";
import { ask, eventually } from "../support/http.ts";
import { PulumiStack } from "../support/pulumi.ts";
import { assertNothingLeft } from "../support/standing.ts";

/** The examples under the Pulumi CLI: two servers in one program, and a bot of another stack beside one of them. */

const servers = new PulumiStack("examples/two-servers");
const server = new PulumiStack();
const beside = new PulumiStack("examples/beside");

before(async () => {
    await servers.must("stack", "init", servers.stack);
    for (const [name, reference] of Object.entries(images))
        await servers.must("config", "set", "--path", `images.${name}`, reference);
    await servers.up();
});
after(async () => {
    for (const stack of [beside, server, servers]) {
        await stack.run("destroy", "--yes");
        stack.remove();
    }
});

test("both servers answer, and a refreshed preview finds nothing to do", async () => {
    for (const server of ["chat", "lab"]) {
        const url = new URL(String(await servers.output(`${server}Url`)));
        const ca = String(await servers.output(`${server}Ca`));
        const { status } = await ask({
            port: Number(url.port),
            host: url.hostname,
            path: "/_matrix/client/versions",
            ca,
        });
        assert.equal(status, 200);
    }
    await servers.must("preview", "--refresh", "--expect-no-changes");
});

test("a bot finds the server by the outputs of its stack", async () => {
    await server.configure({
        tls: { mode: "local-ca" },
        ephemeral: true,
        listenAddresses: { public: ["127.0.0.1"] },
    });
    await server.up();
    beside.environment = server.backend;
    await beside.must("stack", "init", beside.stack);
    await beside.must("config", "set", "server", `organization/synapse/${server.stack}`);
    await beside.must("config", "set", "image", images.synapse ?? "");
    await beside.up();
    const bot = String(await beside.output("botName"));
    await eventually(
        30,
        () => docker("logs", bot),
        (log) => /^200 .*"versions"/m.test(log),
    );
});

test("nothing is left of them", async () => {
    await beside.must("destroy", "--yes");
    for (const stack of [server, servers]) await stack.must("destroy", "--yes");
    await assertNothingLeft(server.name);
    for (const server of ["chat", "lab"]) await assertNothingLeft(`${server}-${servers.stack}`);
});
