import * as http from "node:http";
import * as https from "node:https";
import { PATH } from "./probe.ts";

/**
 * Asks one port as fast as it answers, in a process of its own: `load.ts http|https PORT CONNECTIONS SECONDS`.
 * Prints a {@link LoadResult}.
 */

export interface LoadResult {
    readonly requestsPerSecond: number;
    /** The 99th percentile of the time to an answer, in milliseconds. */
    readonly p99: number;
    /** How much of one processor the asking itself took: near 1 it would be what is measured. */
    readonly client: number;
}

const WARM_UP_MS = 1000;

const [scheme, port, connections, seconds] = process.argv.slice(2);
const { Agent, get } = scheme === "https" ? https : http;
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections), rejectUnauthorized: false });
const options = {
    host: "127.0.0.1",
    port: Number(port),
    path: PATH,
    headers: { host: "localhost" },
    servername: "localhost",
    agent,
    timeout: 10_000,
};

const counted = performance.now() + WARM_UP_MS;
const end = counted + Number(seconds) * 1000;
const times: number[] = [];
let before = process.cpuUsage();
setTimeout(() => (before = process.cpuUsage()), WARM_UP_MS);

await Promise.all(Array.from({ length: Number(connections) }, askOnAndOn));

const { user, system } = process.cpuUsage(before);
times.sort((a, b) => a - b);
const result: LoadResult = {
    requestsPerSecond: times.length / Number(seconds),
    p99: times[Math.ceil(times.length * 0.99) - 1] ?? Number.NaN,
    client: (user + system) / 1e6 / Number(seconds),
};
console.log(JSON.stringify(result));
agent.destroy();

async function askOnAndOn(): Promise<void> {
    for (;;) {
        const started = performance.now();
        if (started > end) return;
        await askOnce();
        const answered = performance.now();
        if (started >= counted && answered <= end) times.push(answered - started);
    }
}

function askOnce(): Promise<void> {
    return new Promise((resolve, reject) => {
        const request = get(options, (response) => {
            response.resume();
            response.on("error", reject);
            response.on("end", () =>
                response.statusCode === 200
                    ? resolve()
                    : reject(new Error(`got status ${response.statusCode} under load`)),
            );
        });
        request.on("timeout", () => request.destroy(new Error("no answer within 10 s under load")));
        request.on("error", reject);
    });
}
