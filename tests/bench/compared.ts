import { type Deployment, type Engine, engines } from "../support/deployment.ts";
import { docker } from "../support/homeserver.ts";
import { ByHand, type Ports } from "./by-hand.ts";
import { removed, somePorts } from "./deployments.ts";
import { signal } from "./interrupt.ts";
import { loaded } from "./loaded.ts";
import { firstAnswer, outage } from "./probe.ts";
import { type Row, say, told } from "./report.ts";
import { ROUNDS } from "./rounds.ts";

const QUIET_ROUNDS = 5;

/** What the program takes by each engine, against the same containers by docker commands. */
export async function compared(): Promise<Row[]> {
    const [ours, byHands] = [await somePorts(), await somePorts()];
    const settings = { tls: { mode: "local-ca" }, ports: ours };
    const byHand = new ByHand(byHands);
    const rows: Row[] = [];
    for (const engine of engines()) {
        const server = engine.deployment(settings, { compiles: true });
        try {
            // The server of the last round stays for what is measured next.
            rows.push(...told(await fromNothing(engine, server, ours, byHand, byHands)));
            rows.push(...told(await unchanged(engine, server)));
            rows.push(...told([await changed(engine, server, ours)]));
            // These are the server's own figures, whoever made it.
            if (engine === engines().at(-1)) {
                rows.push(...told([await restarted(server, ours, byHand, byHands)]));
                rows.push(...told(await loaded(server, ours)));
            }
        } finally {
            say("Removing what was made.");
            await all(removed(server), byHand.remove());
        }
    }
    return rows;
}

/** Waits for all of them, and only then fails. */
async function all(...work: Promise<void>[]): Promise<void> {
    await Promise.allSettled(work);
    await Promise.all(work);
}

async function fromNothing(
    engine: Engine,
    server: Deployment,
    ours: Ports,
    byHand: ByHand,
    byHands: Ports,
): Promise<Row[]> {
    const figures = { ours: [] as number[], whole: [] as number[], byHand: [] as number[] };
    for (let round = 1; round <= ROUNDS; round++) {
        say(`From nothing to the first answer by ${engine.name}, ${round} of ${ROUNDS}`);
        const commands = await firstAnswer(byHands.https, () => byHand.start(signal), signal);
        await byHand.remove();
        if (round > 1) await server.down();
        const program = await firstAnswer(ours.https, () => server.mustUp(), signal);
        figures.byHand.push(commands.answered / 1000);
        figures.ours.push(program.answered / 1000);
        figures.whole.push(program.done / 1000);
    }
    const unit = { unit: "s", digits: 1, baseline: figures.byHand };
    return [
        {
            ...unit,
            what: `${engine.name}: from nothing to the first HTTPS answer (docker commands)`,
            ours: figures.ours,
            goal: { atMost: 1.2 },
        },
        { what: "… and until the program has verified it", unit: "s", digits: 1, ours: figures.whole },
    ];
}

async function unchanged(engine: Engine, server: Deployment): Promise<Row[]> {
    const figures = { up: [] as number[], preview: [] as number[] };
    for (let round = 1; round <= QUIET_ROUNDS; round++) {
        say(`A run without a change by ${engine.name}, ${round} of ${QUIET_ROUNDS}`);
        const { seconds, run } = await timed(() => server.mustUp());
        figures.up.push(seconds);
        signal.throwIfAborted();
        const { same: _, ...changed } = run.changes;
        if (Object.values(changed).some((count) => count > 0))
            throw new Error(`a run without a change changed something: ${JSON.stringify(run.changes)}`);
        if (server.preview === undefined) continue;
        const preview = await timed(async () => server.preview?.());
        if (preview.run?.code !== 0) throw new Error(`the preview failed:\n${preview.run?.printed}`);
        figures.preview.push(preview.seconds);
        signal.throwIfAborted();
    }
    const up = { what: `${engine.name}: up without a change`, unit: "s", digits: 1, ours: figures.up };
    if (server.preview === undefined) return [{ ...up, goal: { atMost: 3 } }];
    const preview = { what: "… preview without a change", unit: "s", digits: 1, ours: figures.preview };
    return [up, preview];
}

async function timed<T>(work: () => Promise<T>): Promise<{ seconds: number; run: T }> {
    const started = performance.now();
    const run = await work();
    return { seconds: (performance.now() - started) / 1000, run };
}

async function changed(engine: Engine, server: Deployment, { https }: Ports): Promise<Row> {
    const figures = { ours: [] as number[], restart: [] as number[] };
    for (let round = 1; round <= ROUNDS; round++) {
        say(`Without an answer while ${engine.name} changes the configuration, ${round} of ${ROUNDS}`);
        const settings = { extraConfig: { presence: { enabled: round % 2 === 0 } } };
        figures.ours.push((await outage(https, () => server.mustUp(settings), signal)) / 1000);
        figures.restart.push((await outage(https, () => docker("restart", server.name), signal)) / 1000);
    }
    return {
        what: `${engine.name}: without an answer in a change (docker restart)`,
        unit: "s",
        digits: 1,
        ours: figures.ours,
        baseline: figures.restart,
        goal: { atMost: 1 },
    };
}

/** The servers started by hand have no volume for the compiled files, and a read-only root as ours. */
async function restarted(server: Deployment, ours: Ports, byHand: ByHand, byHands: Ports): Promise<Row> {
    const figures = { compiled: [] as number[], uncompiled: [] as number[] };
    await firstAnswer(byHands.https, () => byHand.start(signal), signal);
    for (let round = 1; round <= ROUNDS; round++) {
        say(`docker restart with compiled files and without, ${round} of ${ROUNDS}`);
        const restart = (container: string) => () => docker("restart", container);
        figures.compiled.push((await outage(ours.https, restart(server.name), signal)) / 1000);
        figures.uncompiled.push((await outage(byHands.https, restart(byHand.name), signal)) / 1000);
    }
    return {
        what: "docker restart with compiled files (without)",
        unit: "s",
        digits: 1,
        ours: figures.compiled,
        baseline: figures.uncompiled,
    };
}
