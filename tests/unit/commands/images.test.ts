import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { readSettings } from "../../../settings/read.ts";

const project = fileURLToPath(new URL("../../..", import.meta.url));

test("images that are there are used: none is built and no registry is asked", async (t) => {
    const { images } = readSettings(
        "local",
        { serverName: "localhost", tls: '{"mode":"local-ca"}' },
        () => false,
    );
    const asked: string[] = [];
    // An engine that has the wanted images, and nothing else.
    const engine = createServer((request, response) => {
        const [, reference = ""] = /\/images\/(.+)\/json$/.exec(decodeURIComponent(request.url ?? "")) ?? [];
        asked.push(`${request.method} ${reference || request.url}`);
        response.writeHead(Object.values(images).includes(reference) ? 200 : 404).end("{}");
    });
    await new Promise<void>((resolve) => engine.listen(0, "127.0.0.1", resolve));
    t.after(() => engine.close());

    const { stdout } = await promisify(execFile)(process.execPath, ["commands/images.ts"], {
        cwd: project,
        env: { ...process.env, DOCKER_HOST: `tcp://127.0.0.1:${(engine.address() as AddressInfo).port}` },
    });

    const named = Object.entries(images);
    assert.ok(named.length >= 3);
    assert.deepEqual(stdout.trim().split("\n").sort(), named.map(([name, tag]) => `${name}=${tag}`).sort());
    assert.deepEqual(asked.sort(), named.map(([, reference]) => `GET ${reference}`).sort());
});
