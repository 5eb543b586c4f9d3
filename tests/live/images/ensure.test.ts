import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { ensureImages } from "../../../images/ensure.ts";
import { docker, equivalent, succeed, used } from "../../support/image-commands.ts";
import { Registry, WithoutEquivalents } from "../fixtures/registry.ts";

// Where images come from: this machine, a registry, or a recipe.

const synapse = used("synapse");
const nginx = used("nginx");

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

test("an equivalent stands in for no other major version", async () => {
    await assert.rejects(
        ensureImages({ postgres: "localhost:1/postgres:15.17-trixie" }, unexpected),
        /no recipe to build an equivalent of localhost:1\/postgres:15\.17-trixie/,
    );
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

function unexpected(line: string): never {
    assert.fail(`nothing to say, but: ${line}`);
}
