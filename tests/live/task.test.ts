import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, test } from "node:test";
import { docker, finished, images } from "../support/homeserver.ts";
import { eventually } from "../support/http.ts";

/** A task whose docker client is killed between making its container and starting it. */

const ROOT = join(import.meta.dirname, "../..");
const label = `synapse.task=test-${randomBytes(3).toString("hex")}`;
const left = () => docker("ps", "--all", "--quiet", "--filter", `label=${label}`);

const directory = mkdtempSync(join(tmpdir(), "task-"));
// Makes what it shall run, and comes no further.
writeFileSync(
    join(directory, "docker"),
    `#!/bin/sh
PATH=\${PATH#*:}
if [ "$1" != run ]; then exec docker "$@"; fi
shift
docker create "$@" >/dev/null
exec sleep 60
`,
);
chmodSync(join(directory, "docker"), 0o755);
after(async () => {
    rmSync(directory, { recursive: true });
    for (const container of (await left()).split("\n").filter(Boolean))
        await docker("rm", "--force", container);
});

test("interrupted with all that it started, it removes the container", async () => {
    const task = await stalledTask();
    process.kill(-(task.pid ?? Number.NaN), "SIGTERM");
    assert.equal((await finished(task)).code, 143);
    assert.equal(await left(), "");
});

test("killed, it leaves the container to the task's next run", async () => {
    const task = await stalledTask();
    process.kill(-(task.pid ?? Number.NaN), "SIGKILL");
    await finished(task);
    assert.notEqual(await left(), "");
    const { code, printed } = await finished(startTask(process.env.PATH ?? ""));
    assert.deepEqual([code, printed], [0, "done\n"]);
    assert.equal(await left(), "");
});

/** A task that has made its container and does not start it. */
async function stalledTask(): Promise<ChildProcess> {
    const task = startTask([directory, process.env.PATH ?? ""].join(delimiter));
    await eventually(20, left, (found) => found !== "");
    return task;
}

/** In a process group of its own. */
function startTask(path: string): ChildProcess {
    return spawn("sh", ["components/docker/task.sh"], {
        cwd: ROOT,
        env: {
            ...process.env,
            PATH: path,
            TASK_IMAGE: images.synapse,
            TASK_SCRIPT: "echo done",
            TASK_OPTIONS: "--network\nnone",
            TASK_LABELS: label,
            TASK_MOUNTS: "",
            TASK_BEFOREHAND: "",
            TASK_AFTERWARDS: "",
        },
        stdio: ["ignore", "pipe", "pipe"],
        detached: true,
    });
}
