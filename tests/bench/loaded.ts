import { spawn } from "node:child_process";
import type { Deployment } from "../support/deployment.ts";
import { finished } from "../support/homeserver.ts";
import { freePorts } from "../support/ports.ts";
import { BareNginx } from "./bare-nginx.ts";
import type { Ports } from "./by-hand.ts";
import { signal } from "./interrupt.ts";
import type { LoadResult } from "./load.ts";
import { type Row, say } from "./report.ts";

const LOAD = { connections: 16, seconds: 10, rounds: 3 };

/** What a server answers under load, against Synapse alone and against a bare nginx. */
export async function loaded(server: Deployment, { https, synapse }: Ports): Promise<Row[]> {
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
        [`${import.meta.dirname}/load.ts`, ...args],
        // Whatever is wrong comes on the same stream, and is then no JSON.
        { stdio: ["ignore", "pipe", "pipe"], signal },
    );
    child.on("error", () => undefined); // The interrupt: the exit code says it, too.
    const { code, printed } = await finished(child);
    signal.throwIfAborted();
    if (code !== 0) throw new Error(`the load failed:\n${printed}`);
    return JSON.parse(printed) as LoadResult;
}
