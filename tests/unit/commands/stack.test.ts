import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { kept } from "../../../commands/stack-words.ts";
import { LABELS } from "../../../engine/docker.ts";

const COMMAND = join(import.meta.dirname, "../../../commands/stack.ts");
const root = mkdtempSync(join(tmpdir(), "stack-"));
const socket = join(root, "docker.sock");
const removed: string[] = [];
let volumes: object[] = [];
let engine: Server;

before(async () => {
    writeFileSync(join(root, "Pulumi.yaml"), "name: it\nruntime: nodejs\n");
    engine = createServer(({ method, url = "" }, response) => {
        if (method === "DELETE") {
            removed.push(url.split("/").at(-1) ?? "");
            response.writeHead(204).end();
            return;
        }
        const answer = url.includes("/volumes") ? { Volumes: volumes } : [];
        response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
    });
    await new Promise<void>((resolve) => engine.listen(socket, resolve));
});
after(() => {
    engine.close();
    rmSync(root, { recursive: true });
});

/** In a process of its own, on a Docker engine that has nothing but {@link volumes}. */
async function type(...args: string[]) {
    const child = spawn(process.execPath, [COMMAND, ...args], {
        cwd: root,
        env: { ...process.env, DOCKER_HOST: `unix://${socket}` },
    });
    let printed = "";
    for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
            printed += text;
        });
    }
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
    return { code, printed };
}

for (const [command, pulumi] of [
    ["down", "pulumi destroy --stack try"],
    ["output", "pulumi stack output --stack try"],
] as const) {
    test(`${command} refuses a stack that npm start has not made, and makes no record of it`, async () => {
        const { code, printed } = await type(command, "--stack", "try");
        assert.equal(code, 1);
        assert.match(printed, /^error: there is no stack try of `npm start` here\./);
        assert.ok(printed.includes(`\`${pulumi}\``), printed);
        const state = join(root, ".state");
        assert.deepEqual(existsSync(state) ? readdirSync(state) : [], []);
    });
}

test("down removes what a stack has made whose record is lost", async () => {
    const labels = { [LABELS.stack]: "it/try" };
    volumes = [{ Name: "try-data", Labels: labels }];
    const { code, printed } = await type("down", "--stack", "try");
    assert.equal(code, 0, printed);
    assert.deepEqual(removed, ["try-data"]);
    volumes = [];
});

test("a stack that was taken down is known, and can be taken down again", async () => {
    mkdirSync(join(root, ".state"), { recursive: true });
    writeFileSync(join(root, ".state/known.json"), "{}");
    for (const command of ["down", "output"]) {
        const { code, printed } = await type(command, "--stack", "known");
        assert.equal(code, 0, printed);
    }
});

test("what is kept is said with the command that removes it, as it is typed", () => {
    assert.equal(
        kept(["a", "b"], "local"),
        "Kept, as they hold data: a, b. `npm stop -- --volumes` removes them.",
    );
    assert.match(kept(["a"], "try"), /`npm stop -- --stack try --volumes`/);
});
