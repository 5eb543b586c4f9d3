import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { finished, images } from "../support/homeserver.ts";
import { ask } from "../support/http.ts";
import { assertNothingLeft } from "../support/standing.ts";

/** The example with two servers in one program, carried out as a person would, in its own directory. */

const PROJECT = join(import.meta.dirname, "../../examples/two-servers");
const STACK = "examples-test";
const SERVERS = ["chat", "lab"] as const;

interface Outputs {
    readonly chatUrl: string;
    readonly labUrl: string;
    readonly chatCa: string;
    readonly labCa: string;
}

const result = join(mkdtempSync(join(tmpdir(), "examples-")), "result.json");
let outputs: Outputs;

function engine(...args: readonly string[]) {
    const command = ["../../commands/stack.ts", ...args, "--stack", STACK];
    return finished(spawn(process.execPath, command, { cwd: PROJECT, stdio: ["ignore", "pipe", "pipe"] }));
}

before(async () => {
    const up = await engine("up", "--json", result, "--config", JSON.stringify({ images }));
    assert.equal(up.code, 0, up.printed);
    ({ outputs } = JSON.parse(readFileSync(result, "utf8")) as { outputs: Outputs });
});
after(async () => {
    await engine("down", "--volumes");
    rmSync(join(PROJECT, ".state"), { recursive: true, force: true });
});

test("both servers answer by their names, each with a CA of its own", async () => {
    for (const server of SERVERS) {
        const url = new URL(outputs[`${server}Url`]);
        assert.equal(url.hostname, `${server}.localhost`);
        const request = { port: Number(url.port), host: url.hostname, path: "/_matrix/client/versions" };
        const { status } = await ask({ ...request, ca: outputs[`${server}Ca`] });
        assert.equal(status, 200);
        const other = outputs[server === "chat" ? "labCa" : "chatCa"];
        await assert.rejects(ask({ ...request, ca: other }), /certificate/);
    }
});

test("a second run changes nothing", async () => {
    const { code, printed } = await engine("up", "--config", JSON.stringify({ images }));
    assert.equal(code, 0, printed);
    assert.match(printed, /^Nothing to do/m);
});

test("nothing is left of them", async () => {
    const { code, printed } = await engine("down");
    assert.equal(code, 0, printed);
    for (const server of SERVERS) await assertNothingLeft(`${server}-${STACK}`);
});
