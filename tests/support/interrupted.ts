import assert from "node:assert/strict";
import type { Deployment, Environment, Settings } from "./deployment.ts";

/**
 * Kills `up` with SIGKILL when so many milliseconds have passed, and does what a person does before the next one.
 * False when there was nothing left to interrupt.
 */
export async function killed(
    server: Deployment,
    milliseconds: number,
    settings: Settings = {},
    environment: Environment = {},
): Promise<boolean> {
    const up = await server.begin(settings, environment);
    const timer = setTimeout(() => up.process.kill("SIGKILL"), milliseconds);
    const { code, printed } = await up.ended;
    clearTimeout(timer);
    if (code !== null) {
        assert.equal(code, 0, printed);
        return false;
    }
    await server.recover();
    return true;
}

/** Milliseconds that something takes. */
export async function duration(act: () => Promise<unknown>): Promise<number> {
    const started = Date.now();
    await act();
    return Date.now() - started;
}

/** Fails with what would change, if anything would. */
export async function assertIdle(server: Deployment, environment: Environment = {}): Promise<void> {
    const { code, printed } = await server.again(environment);
    assert.equal(code, 0, printed);
}
