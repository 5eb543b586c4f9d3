import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { docker, images } from "../support/homeserver.ts";

/** A rotation of the signing key that is killed goes on where it was, and loses no key. */

const read = (file: string) => readFileSync(new URL(file, import.meta.url), "utf8");

test("killed before each of its steps, a rotation loses no key, and the next run finishes it", async () => {
    const printed = await docker(
        ...["run", "--rm", "--network", "none", "--user", "991:991", "--read-only", "--cap-drop", "ALL"],
        ...["--tmpfs", "/data:uid=991,gid=991", "--tmpfs", "/tmp:uid=991,gid=991,exec"],
        ...["--env", `GENERATE=${read("../../components/synapse/generate.sh")}`],
        ...["--env", `SWITCH=${read("../../components/synapse/switch-key.py")}`],
        ...["--entrypoint", "python3", images.synapse ?? "", "-c", read("fixtures/rotation-killed.py")],
    );
    const steps = JSON.parse(printed) as Readonly<Record<string, number>>;
    // Fewer: the killing itself does not work any more.
    for (const [part, least] of Object.entries({ first: 4, prepare: 8, switch: 7 }))
        assert.ok((steps[part] ?? 0) >= least, printed);
});
