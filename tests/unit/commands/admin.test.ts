import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";

const SCRIPT = readFileSync(new URL("../../../commands/user/admin.py", import.meta.url), "utf8");
const skip = spawnSync("python3", ["-V"]).status === 0 ? false : "ADMIN.PY NOT TRIED: there is no python3";
const LEFT_BEHIND = "@stack-operator-0123456789abcdef:localhost";

/** Runs the script against a Synapse that fails the requests that `fails` is true of. */
async function asked(t: TestContext, request: object, fails: (path: string) => boolean) {
    const paths: string[] = [];
    const server = createServer((incoming, response) => {
        const path = decodeURIComponent(incoming.url ?? "");
        paths.push(path);
        response.statusCode = fails(path) ? 500 : 200;
        response.end(JSON.stringify(fails(path) ? { error: "Internal server error" } : answerTo(path)));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const directory = mkdtempSync(join(tmpdir(), "admin-"));
    t.after(() => rmSync(directory, { recursive: true }));
    // Synapse's image has it; of it the script needs no more than what reads JSON as well.
    writeFileSync(join(directory, "yaml.py"), "from json import load as safe_load\n");
    const settings = join(directory, "homeserver.yaml");
    writeFileSync(settings, JSON.stringify({ server_name: "localhost", registration_shared_secret: "s" }));
    const script = SCRIPT.replace(/^SYNAPSE = .*/m, `SYNAPSE = "http://127.0.0.1:${port}"`).replace(
        /^LAYERS = .*/m,
        `LAYERS = [${JSON.stringify(settings)}]`,
    );
    const child = spawn("python3", ["-Bc", script], { env: { ...process.env, PYTHONPATH: directory } });
    child.stdin.end(`${JSON.stringify(request)}\n`);
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    await once(child, "close");
    return { said: JSON.parse(stdout) as unknown, stderr, paths };
}

function answerTo(path: string): object {
    if (path.endsWith("/register"))
        return { nonce: "n", access_token: "t", user_id: "@stack-operator-fedcba9876543210:localhost" };
    if (path.includes("/v2/users?")) return { users: [{ name: LEFT_BEHIND, creation_ts: 0 }] };
    return { deactivated: false };
}

const RESET = { action: "reset-password", user: "@bob:localhost", password: "battery staple" };
const DONE = { answer: { user: "@bob:localhost" } };

describe("the operator of one run", { skip }, () => {
    test("is deactivated at its end, as one that was left behind is", async (t) => {
        const { said, stderr, paths } = await asked(t, RESET, () => false);
        assert.deepEqual([said, stderr], [DONE, ""]);
        assert.deepEqual(
            paths.filter((path) => path.includes("/deactivate/")).map((path) => path.split("/").at(-1)),
            [LEFT_BEHIND, "@stack-operator-fedcba9876543210:localhost"],
        );
    });

    test("that cannot be retired is a note beside the answer, whatever else fails", async (t) => {
        const { said, stderr } = await asked(t, RESET, (path) => /logout|deactivate.*-fedc/.test(path));
        assert.deepEqual(said, DONE);
        assert.match(
            stderr,
            /-fedcba9876543210:localhost could not be deactivated: .*A later run will do it/,
        );
        assert.match(stderr, /could not be logged out: Internal server error \(500\)/);
    });

    test("that was left behind and cannot be deactivated fails nothing", async (t) => {
        const { said, stderr } = await asked(t, RESET, (path) => path.endsWith(LEFT_BEHIND));
        assert.deepEqual(said, DONE);
        assert.match(stderr, /0123456789abcdef:localhost, of an earlier run, could not be deactivated/);
    });

    test("does not hide what Synapse refused", async (t) => {
        const { said } = await asked(t, RESET, (path) => /reset_password|logout|deactivate/.test(path));
        assert.deepEqual(said, { fault: { code: "", message: "Internal server error (500)" } });
    });
});
