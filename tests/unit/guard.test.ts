import assert from "node:assert/strict";
import { test } from "node:test";
import { refusalOf } from "../../components/synapse/guard.ts";

test("a server's name is for ever", () => {
    const refused = refusalOf("old.org", "new.org") ?? "";
    assert.match(refused, /^synapse:serverName is old\.org for ever/);
    assert.match(refused, /Set it back, or make a new stack for new\.org\.$/);
});

test("the same name is no change", () => {
    assert.equal(refusalOf("old.org", "old.org"), undefined);
});
