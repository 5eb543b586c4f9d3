import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, test } from "node:test";
import type { Report } from "../../commands/verify/report.ts";
import { docker, finished, Homeserver, type Run } from "../support/homeserver.ts";

/** What a running server is asked anew, long after its `up`. */

const server = new Homeserver({ tls: { mode: "local-ca" } });

before(() => server.mustUp());
after(() => server.destroy());

function verify(...args: string[]): Promise<Run> {
    const command = ["commands/verify.ts", "--stack", server.stack, ...args];
    return finished(
        spawn(process.execPath, command, {
            cwd: new URL("../..", import.meta.url),
            stdio: ["ignore", "pipe", "pipe"],
        }),
    );
}

test("all that `up` has verified holds, and it is said what that is", async () => {
    const { code, printed } = await verify();
    assert.equal(code, 0, printed);
    assert.match(printed, /^https:\/\/localhost:\d+: \d+ things hold, 0 do not\.$/m);
    for (const what of [
        "the client API",
        "the certificate",
        ".well-known",
        "the closed admin API",
        "the clients' addresses",
        "the redirect to HTTPS",
    ]) {
        assert.ok(printed.includes(`  ${what} at 127.0.0.1:`), `${what}:\n${printed}`);
    }
    assert.match(printed, /^Its certificate ends on 20\d\d-\d\d-\d\d\.$/m);
});

test("for programs it says the same as JSON, and nothing secret", async () => {
    const { code, printed } = await verify("--json");
    const report = JSON.parse(printed) as Report;
    assert.equal(code, 0);
    assert.deepEqual([report.failures, report.notes, report.warnings], [[], [], []]);
    assert.ok(report.holds.length > 5 && report.certificateExpiry !== null);
});

test("with nginx stopped it says what does not hold, and what does", async () => {
    await docker("stop", server.nginx);
    const { code, printed } = await verify();
    assert.equal(code, 1, printed);
    assert.match(printed, /^ {2}the client API at 127\.0\.0\.1:\d+: speaks /m);
    assert.match(printed, /^FAILED: the client API at 127\.0\.0\.1:\d+ does not work\.$/m);
    assert.match(printed, /^FAILED: the redirect to HTTPS at 127\.0\.0\.1:\d+ does not work\.$/m);
    assert.match(printed, /ECONNREFUSED/);
    assert.ok(printed.indexOf("  the client API") < printed.indexOf("FAILED"));
});
