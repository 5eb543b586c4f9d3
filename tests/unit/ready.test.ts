import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { dockerClient } from "../../components/docker/client.ts";

/** The scripts that look at a container from beside Pulumi, with a docker client that tells what a test says. */

const COMPONENTS = join(import.meta.dirname, "../../components");
const LOGGED = "2026-01-02 03:04:05,678 - synapse.storage.prepare_database - 523 - INFO - main - ";
const CLIENT = `#!/bin/sh
case "$*" in
    "container inspect"*)
        if [ -s "$STAGE/fault" ]; then cat "$STAGE/fault" >&2; exit 1; fi
        cat "$STAGE/state" ;;
    logs*) cat "$STAGE/log" ;;
    "container stop"*) : >"$STAGE/stopped" ;;
    exec*) exit "$(cat "$STAGE/works")" ;;
esac
`;

let stage: string;
beforeEach(() => {
    stage = mkdtempSync(join(tmpdir(), "ready-"));
    writeFileSync(join(stage, "docker"), CLIENT, { mode: 0o755 });
    set({ state: "running 0 0 2026-01-02T03:04:05Z starting", log: "", works: "1" });
});
afterEach(() => rmSync(stage, { recursive: true }));

function set(files: Partial<Record<"state" | "log" | "works" | "fault", string>>): void {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(stage, name), `${content}\n`);
}

interface Ended {
    readonly code: number | null;
    readonly said: string;
}

function run(
    script: string,
    variables: Record<string, string>,
): { ended: Promise<Ended>; said: () => string } {
    const child = spawn("sh", [join(COMPONENTS, script)], {
        env: { PATH: `${stage}:${process.env.PATH ?? ""}`, STAGE: stage, ADVICE: "", ...variables },
        stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (chunk) => (said += String(chunk)));
    const ended = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ code, said })));
    return { ended, said: () => said };
}

const wait = (patience: number) =>
    run("docker/ready.sh", { CONTAINER: "id", NAME: "chat", HEALTH: "true", PATIENCE: String(patience) });
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe("waiting for a service", () => {
    test("ends when Docker says that it is healthy", async () => {
        const waiting = wait(60);
        await pause(500);
        set({ state: "running 0 0 2026-01-02T03:04:05Z healthy" });
        assert.deepEqual(await waiting.ended, { code: 0, said: "" });
    });

    test("ends as soon as its health check succeeds, before Docker looks", async () => {
        set({ works: "0" });
        assert.deepEqual(await wait(60).ended, { code: 0, said: "" });
    });

    for (const [what, state, message] of [
        [
            "exits",
            "exited 0 3 2026-01-02T03:04:05Z",
            /^chat exited with code 3\. It wrote last:\nno such option/,
        ],
        ["keeps exiting", "restarting 4 1 2026-01-02T03:04:05Z", /^chat keeps exiting with code 1\./],
        ["was restarted", "running 1 0 2026-01-02T03:04:09Z starting", /^chat exited while it was starting/],
    ] as const) {
        test(`fails at once when it ${what}, and quotes its log`, async () => {
            const waiting = wait(600);
            await pause(500);
            set({ state, log: "no such option" });
            const { code, said } = await waiting.ended;
            assert.equal(code, 1);
            assert.match(said, message);
            assert.match(said, /no such option/);
        });
    }

    test("says so when somebody has removed it", async () => {
        set({ fault: "Error: No such container: id" });
        const { code, said } = await wait(600).ended;
        assert.equal(code, 1);
        assert.match(said, /^chat is gone/);
    });

    test("asks again when Docker cannot be asked right now", async () => {
        set({ fault: "error during connect: dial tcp: lookup chat.example.org: no such host" });
        const waiting = wait(60);
        await pause(1500);
        rmSync(join(stage, "fault"));
        set({ works: "0" });
        assert.deepEqual(await waiting.ended, { code: 0, said: "" });
    });

    test("fails when its time is up, and quotes its log", async () => {
        set({ log: "waiting for a mail server" });
        const { code, said } = await wait(1).ended;
        assert.equal(code, 1);
        assert.match(said, /^chat was not healthy after \d+ s\. It wrote last:\nwaiting for a mail server/);
    });

    test("goes on beyond its time while Synapse upgrades its database, and says so", async () => {
        set({ log: `${LOGGED}Applying schema deltas for v94` });
        const waiting = wait(1);
        await pause(4000);
        assert.match(
            waiting.said(),
            /^chat upgrades its database \(\d+ s\): Applying schema deltas for v94$/m,
        );
        set({ works: "0" });
        assert.equal((await waiting.ended).code, 0);
    });

    test("does not take an upgrade that has ended for one that lasts", async () => {
        set({ log: `${LOGGED}Applying schema deltas for v94\n${LOGGED}Schema now up to date` });
        const { code, said } = await wait(1).ended;
        assert.equal(code, 1);
        assert.match(said, /was not healthy/);
    });
});

describe("a server that is about to be replaced", () => {
    const look = () => run("docker/at-work.sh", { SERVER: "chat" }).ended;

    test("is left alone while it upgrades its database", async () => {
        set({
            state: "running 2026-01-02T03:04:05Z starting",
            log: `${LOGGED}Running main/delta/94/x.py:run_upgrade`,
        });
        const { code, said } = await look();
        assert.equal(code, 1);
        assert.match(
            said,
            /^Refused, and nothing was touched: chat has been upgrading its database since 2026-/,
        );
        assert.match(said, /now: Running main\/delta\/94\/x\.py:run_upgrade/);
        assert.match(said, /Wait until .* says "Schema now up to date"/);
    });

    test("is not removed either as what an interrupted update left", async () => {
        const client = dockerClient({ PATH: `${stage}:${process.env.PATH ?? ""}`, STAGE: stage });
        const log = `${LOGGED}Running main/delta/94/x.py:run_upgrade`;
        set({ state: "running 2026-01-02T03:04:05Z starting", log });
        await assert.rejects(client.remove("container", "chat"), /Refused.*upgrading its database/);
        assert.ok(!existsSync(join(stage, "stopped")));
        set({ state: "running 2026-01-02T03:04:05Z healthy" });
        await client.remove("container", "chat");
        assert.ok(existsSync(join(stage, "stopped")));
    });

    for (const [what, state, log] of [
        ["is healthy", "running 2026-01-02T03:04:05Z healthy", `${LOGGED}Applying schema deltas for v94`],
        ["has upgraded", "running 2026-01-02T03:04:05Z unhealthy", `${LOGGED}Schema now up to date`],
        ["has not begun", "running 2026-01-02T03:04:05Z starting", "Starting Synapse"],
        ["has exited", "exited 2026-01-02T03:04:05Z ", `${LOGGED}Applying schema deltas for v94`],
    ] as const) {
        test(`is not when it ${what}`, async () => {
            set({ state, log });
            assert.deepEqual(await look(), { code: 0, said: "" });
        });
    }
});
