import assert from "node:assert/strict";
import { test } from "node:test";
import { docker, TEST_IMAGE } from "../fixtures/embedded.ts";
import { prefix, server, stack, stackObjects } from "./stack.ts";

test("down keeps protected data until told otherwise", async () => {
    await stack.up();
    const down = await stack.run("down");
    assert.equal(down.code, 0);
    assert.match(down.printed, new RegExp(`Kept, as they hold data: ${prefix}-data\\. `));
    assert.deepEqual(await stackObjects(), [`${prefix}-data`]);
    assert.equal((await stack.up()).code, 0);
    await stack.run("down", "--volumes");
    assert.deepEqual(await stackObjects(), []);
});

test("a changed replacement trigger never costs protected data", async () => {
    await stack.up({ trigger: "a" });
    const { code, printed } = await stack.up({ trigger: "b" });
    assert.equal(code, 1);
    assert.match(printed, /would be replaced, and its data lost, but it is protected/);
});

test("a volume that was there before is adopted with its data", async () => {
    await docker("volume", "create", `${prefix}-data`);
    try {
        assert.equal((await stack.up()).changes.same, 1);
        await stack.run("down", "--volumes");
        assert.deepEqual(await stackObjects(), [`${prefix}-data`]);
    } finally {
        await stack.destroy();
        await docker("volume", "rm", `${prefix}-data`);
    }
});

test("somebody else's container of the same name is not touched", async () => {
    await docker("create", "--name", `${prefix}-server`, TEST_IMAGE, "true");
    try {
        const before = await server();
        const { code, printed } = await stack.up();
        assert.equal(code, 1);
        assert.match(printed, /was not made by this engine/);
        assert.equal(await server(), before);
    } finally {
        await docker("rm", `${prefix}-server`);
    }
});
