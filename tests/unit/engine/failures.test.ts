import assert from "node:assert/strict";
import { test } from "node:test";
import { Cancelled, Failures } from "../../../engine/failures.ts";
import { Refusal } from "../../../engine/refusal.ts";

test("a failure counts once, and what is left out because of it not at all", () => {
    const failures = new Failures();
    const refused = new Refusal("no such image");
    failures.add(refused, "docker.Container");
    failures.add(refused);
    failures.add(new Cancelled());
    assert.deepEqual(failures.messages, ["docker.Container: no such image"]);
});

test("a process that ended with code 1 is a failure, although CANCELLED has that code, too", () => {
    const failures = new Failures();
    failures.add(Object.assign(new Error("Command failed: docker ps"), { code: 1 }));
    assert.match(failures.messages.join(), /^Error: Command failed: docker ps/);
});
