import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { docker } from "../support/homeserver.ts";
import { PulumiStack } from "../support/pulumi.ts";

/** A throw-away stack whose `pulumi up` is killed again and again, and which is destroyed in the end. */

const stack = new PulumiStack();
const settings = { tls: { mode: "local-ca" }, ephemeral: true, listenAddresses: { public: ["127.0.0.1"] } };
before(() => stack.configure(settings));
after(async () => {
    await stack.run("cancel", "--yes");
    await stack.run("destroy", "--yes");
    stack.remove();
});

/** Kills `pulumi up` when so many seconds have passed, then brings the stack up as a person would. */
async function killAndConverge(seconds: number): Promise<string> {
    const up = stack.start("up", "--yes", "--skip-preview");
    const ended = stack.ended(up);
    const timer = setTimeout(() => up.kill("SIGKILL"), seconds * 1000);
    const { code } = await ended;
    clearTimeout(timer);
    assert.equal(code, null, `up had already ended after ${seconds} s: nothing was interrupted`);
    await stack.must("cancel", "--yes");
    await stack.up();
    return String(await stack.output("verifyKey"));
}

test("killed while everything is made for the first time, the next up converges", async () => {
    for (const seconds of [4, 7]) {
        const key = await killAndConverge(seconds);
        assert.match(key, /^ed25519:a_\w+ [A-Za-z0-9+/]{43}$/);
        const { code, printed } = await stack.run("preview", "--expect-no-changes");
        assert.equal(code, 0, printed);
        await stack.must("destroy", "--yes");
    }
    await stack.up();
});

test("killed at five moments of an update, each next up converges with the same key", async () => {
    const key = String(await stack.output("verifyKey"));
    for (const [index, seconds] of [2.5, 4, 5, 6.5, 8.5].entries()) {
        // Something to do: both containers are replaced, or one of them.
        await stack.configure({
            ...settings,
            memory: { synapse: 2048 + index, nginx: 128 + index },
            extraConfig: { presence: { enabled: index % 2 === 0 } },
        });
        assert.equal(await killAndConverge(seconds), key);
        const named = await docker("ps", "--all", "--format", "{{.Names}}", "--filter", `name=${stack.name}`);
        assert.equal(named.split("\n").length, 4, named);
    }
});

test("destroying a throw-away leaves nothing behind", async () => {
    await stack.must("destroy", "--yes");
    for (const list of [
        ["ps", "--all"],
        ["volume", "ls"],
        ["network", "ls"],
    ]) {
        assert.equal(await docker(...list, "--quiet", "--filter", `name=${stack.name}`), "", list.join(" "));
    }
});
