import { spawn } from "node:child_process";
import { availableParallelism, loadavg } from "node:os";
import type { AcmeSource } from "../../components/certificates/source.ts";
import { type Deployment, type Engine, engines } from "../support/deployment.ts";
import { docker, finished, Homeserver } from "../support/homeserver.ts";
import { Pebble } from "../support/pebble.ts";
import { freePorts } from "../support/ports.ts";
import { BareNginx } from "./bare-nginx.ts";
import { ByHand, type Ports } from "./by-hand.ts";
import { CertbotAlone } from "./certbot-alone.ts";
import type { LoadResult } from "./load.ts";
import { firstAnswer, outage } from "./probe.ts";

/**
 * What the program costs, against doing the same without it on the same machine in the same minutes. A missed goal
 * is told, and is no failure: the figures depend on what else the machine does.
 */

const ROUNDS = 3;
const QUIET_ROUNDS = 5;
const LOAD = { connections: 16, seconds: 10, rounds: 3 };

interface Row {
    readonly what: string;
    readonly unit: string;
    readonly digits: number;
    readonly ours: readonly number[];
    readonly baseline?: readonly number[];
    /** For the ratio to the baseline; for our own figure when there is none. */
    readonly goal?: { readonly atMost: number } | { readonly atLeast: number };
}

const interrupt = new AbortController();
const { signal } = interrupt;
for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
        say("Interrupted: removing what was made.");
        interrupt.abort(new Error("interrupted"));
    });
}

try {
    const rows = await measured();
    show(rows);
} catch (error) {
    say(error instanceof Error && !signal.aborted ? (error.stack ?? error.message) : "Not finished.");
    process.exitCode = signal.aborted ? 130 : 1;
}

async function measured(): Promise<Row[]> {
    return [...(await compared()), ...(await certified())];
}

async function compared(): Promise<Row[]> {
    const [ours, byHands] = [await somePorts(), await somePorts()];
    const settings = { tls: { mode: "local-ca" }, ports: ours };
    const byHand = new ByHand(byHands);
    const rows: Row[] = [];
    for (const engine of engines()) {
        const server = engine.deployment(settings);
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

/** What tls.mode acme takes, against certbot alone: the same image, CA and nginx, a new account each time. */
async function certified(): Promise<Row[]> {
    const ports = await somePorts();
    const pebble = await Pebble.start({ httpPort: ports.http });
    const source: AcmeSource = {
        mode: "acme",
        email: "admin@example.org",
        server: pebble.directory,
        caBundle: pebble.caBundle,
        names: [],
        keyType: "ecdsa",
        challenge: { type: "http-01" },
        expiryWarningDays: 14,
    };
    const host = "matrix.test";
    const server = new Homeserver({ publicHost: host, ports, tls: source });
    const alone = new CertbotAlone();
    const figures = { trusted: [] as number[], alone: [] as number[], afterwards: [] as number[] };
    try {
        const environment = { NODE_EXTRA_CA_CERTS: await pebble.rootFile() };
        const trust = { host, ca: await pebble.root() };
        for (let round = 1; round <= ROUNDS; round++) {
            say(`From nothing to a trusted certificate, ${round} of ${ROUNDS}`);
            if (round > 1) await removed(server);
            const up = () => server.mustUp({}, environment);
            const { answered, trusted } = await firstAnswer(ports.https, up, signal, trust);
            figures.trusted.push(trusted / 1000);
            figures.afterwards.push((trusted - answered) / 1000);
            // Through the nginx that now runs.
            figures.alone.push((await alone.obtain(source, `${server.name}-acme-webroot`, signal)) / 1000);
        }
    } finally {
        say("Removing what was made.");
        // A certbot that was interrupted holds a volume of the server's.
        await alone.remove().finally(() => removed(server).finally(() => pebble.stop()));
    }
    const unit = { unit: "s", digits: 1 };
    const added = figures.trusted.map((seconds, round) => seconds - (figures.alone[round] ?? Number.NaN));
    return [
        {
            ...unit,
            what: "from nothing to a trusted certificate (certbot alone)",
            ours: figures.trusted,
            baseline: figures.alone,
        },
        { ...unit, what: "… ours minus certbot alone", ours: added },
        {
            ...unit,
            what: "… from the first answer, on a placeholder (certbot alone)",
            ours: figures.afterwards,
            baseline: figures.alone,
        },
    ];
}

/** A Ctrl-C in a terminal also reaches a removal that is under way: it is begun again. */
async function removed(server: Deployment): Promise<void> {
    for (let tries = 0; tries < 3; tries++) if ((await server.down()).code === 0) break;
    await server.destroy();
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

async function loaded(server: Deployment, { https, synapse }: Ports): Promise<Row[]> {
    const results = { through: [] as LoadResult[], direct: [] as LoadResult[], bare: [] as LoadResult[] };
    const bare = new BareNginx();
    const [port = 0] = await freePorts(1);
    try {
        await bare.start(server.name, port);
        for (let round = 1; round <= LOAD.rounds; round++) {
            say(`Under load, ${round} of ${LOAD.rounds}`);
            results.direct.push(await load("http", synapse));
            results.bare.push(await load("https", port));
            results.through.push(await load("https", https));
        }
    } finally {
        await bare.remove();
    }
    const row = (what: string, unit: string, digits: number, field: keyof LoadResult) => {
        const of = (measured: LoadResult[]) => measured.map((result) => result[field]);
        return { what, unit, digits, ours: of(results.through), baseline: of(results.direct) };
    };
    const rate = row("through nginx (Synapse directly)", "requests/s", 0, "requestsPerSecond");
    return [
        { ...rate, goal: { atLeast: 0.9 } },
        {
            ...rate,
            what: "through nginx (a bare proxy_pass)",
            baseline: results.bare.map(({ requestsPerSecond }) => requestsPerSecond),
            goal: { atLeast: 0.95 },
        },
        row("… 99 % answered within", "ms", 0, "p99"),
        row("… processors that the client took", "", 2, "client"),
    ];
}

async function load(scheme: "http" | "https", port: number): Promise<LoadResult> {
    signal.throwIfAborted();
    const args = [scheme, port, LOAD.connections, LOAD.seconds].map(String);
    const child = spawn(
        process.execPath,
        ["--import", "tsx", `${import.meta.dirname}/load.ts`, ...args],
        // Whatever is wrong comes on the same stream, and is then no JSON.
        { stdio: ["ignore", "pipe", "pipe"], signal },
    );
    child.on("error", () => undefined); // The interrupt: the exit code says it, too.
    const { code, printed } = await finished(child);
    signal.throwIfAborted();
    if (code !== 0) throw new Error(`the load failed:\n${printed}`);
    return JSON.parse(printed) as LoadResult;
}

async function somePorts(): Promise<Ports> {
    const [http = 0, https = 0, federation = 0, synapse = 0] = await freePorts(4);
    return { http, https, federation, synapse };
}

function show(rows: readonly Row[]): void {
    const lines = rows.map(({ what, unit, digits, ours, baseline, goal }) => {
        const figure = (values: readonly number[]) => `${median(values).toFixed(digits)} ${unit}`.trim();
        const ratio = baseline && median(ours) / median(baseline);
        return [
            what,
            figure(ours),
            baseline ? figure(baseline) : "",
            ratio === undefined ? "" : ratio.toFixed(2),
            goal === undefined ? "" : goalText(goal, ratio === undefined ? unit : ""),
            goal === undefined ? "" : verdict(goal, ratio ?? median(ours)),
        ];
    });
    const table = [["what", "ours", "baseline", "ratio", "goal", ""], ...lines];
    const widths = table[0]?.map((_, column) =>
        Math.max(...table.map((line) => (line[column] ?? "").length)),
    );
    say("");
    for (const line of table)
        say(
            line
                .map((cell, column) =>
                    column === 0 ? cell.padEnd(widths?.[column] ?? 0) : cell.padStart(widths?.[column] ?? 0),
                )
                .join("  ")
                .trimEnd(),
        );

    say("\nMedians of:");
    told(rows);
    say(
        `\n${availableParallelism()} processors; load at the end: ${loadavg()
            .map((n) => n.toFixed(1))
            .join(" ")}`,
    );
    const missed = lines.filter(([, , , , , outcome]) => outcome === "over" || outcome === "under");
    say(
        missed.length === 0 ? "Every goal is reached." : `MISSED: ${missed.map(([what]) => what).join("; ")}`,
    );
}

/** Says the single figures, at once: a bench that ends early has not been for nothing. */
function told(rows: readonly Row[]): readonly Row[] {
    for (const { what, digits, ours, baseline } of rows) {
        const list = (values: readonly number[]) => values.map((value) => value.toFixed(digits)).join(" ");
        say(`  ${what}: ours ${list(ours)}${baseline ? `; baseline ${list(baseline)}` : ""}`);
    }
    return rows;
}

function goalText(goal: NonNullable<Row["goal"]>, unit: string): string {
    return (
        "atMost" in goal ? `≤ ${goal.atMost.toFixed(2)} ${unit}` : `≥ ${goal.atLeast.toFixed(2)} ${unit}`
    ).trim();
}

function verdict(goal: NonNullable<Row["goal"]>, value: number): string {
    if ("atMost" in goal) return value <= goal.atMost ? "ok" : "over";
    return value >= goal.atLeast ? "ok" : "under";
}

function median(values: readonly number[]): number {
    const sorted = [...values].sort((a, b) => a - b);
    const middle = sorted.length / 2;
    const at = (index: number) => sorted[index] ?? Number.NaN;
    return sorted.length % 2 === 1 ? at(Math.floor(middle)) : (at(middle - 1) + at(middle)) / 2;
}

function say(line: string): void {
    console.log(line);
}
