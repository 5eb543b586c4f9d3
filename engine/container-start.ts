import type { Container, ContainerInspectInfo } from "dockerode";
import type { ContainerArgs } from "./container.ts";
import { lastLines } from "./docker.ts";
import { Refusal } from "./refusal.ts";
import type { World } from "./world.ts";

/** Starts a container and sees that it stays, or that it becomes healthy where that is to be waited for. */
export async function start(container: Container, args: ContainerArgs, world: World): Promise<void> {
    if (args.start === false) return;
    await container.start();
    if (args.wait) return waitUntilHealthy(container, args, world);
    const { State } = await container.inspect();
    const failed = args.mustRun !== false && !State.Running && !State.Restarting && State.ExitCode !== 0;
    if (failed) throw await failure(container, `it exited with code ${State.ExitCode}`, world);
}

export async function waitUntilHealthy(
    container: Container,
    args: ContainerArgs,
    world: World,
): Promise<void> {
    const timeout = args.waitTimeout ?? 60;
    const deadline = Date.now() + timeout * 1000;
    const before = (await container.inspect()).RestartCount;
    for (;;) {
        const { State, RestartCount } = await container.inspect();
        const { Health } = State;
        if (Health?.Status === "healthy") return;
        if (world.signal.aborted) throw new Refusal("interrupted while it was starting");
        const problem = problemOf(State, RestartCount - before);
        if (problem !== undefined) throw await notHealthy(container, problem, world);
        if (Date.now() > deadline) {
            const said = Health?.Log.at(-1)?.Output.trim();
            const check = said ? `; its health check said: ${said}` : "";
            throw await notHealthy(container, `it was not healthy after ${timeout} s${check}`, world);
        }
        await new Promise((resolve) => setTimeout(resolve, 250));
    }
}

/** Why waiting on is pointless. */
function problemOf(state: ContainerInspectInfo["State"], restarts: number): string | undefined {
    if (state.Running && !state.Health) return "it has no health check to wait for";
    // A first restart may still be a race with something it needs.
    if (restarts >= 2) return `it keeps exiting with code ${state.ExitCode}`;
    return state.Running || state.Restarting ? undefined : `it exited with code ${state.ExitCode}`;
}

async function notHealthy(container: Container, problem: string, world: World): Promise<Refusal> {
    world.record.contents.unhealthy.push(container.id); // The next run replaces it.
    world.record.save();
    return failure(container, problem, world);
}

async function failure(container: Container, problem: string, world: World): Promise<Refusal> {
    const lines = await lastLines(world.docker, container.id, 30);
    return new Refusal(
        lines === "" ? `${problem}, and wrote nothing` : `${problem}. It wrote last:\n${lines}`,
    );
}
