import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { docker } from "../support/homeserver.ts";
import { ask } from "../support/http.ts";
import { ProxyAlone } from "../support/proxy-alone.ts";

/** What nobody announced, a stall, a crash, a lack of memory, is no worse than with a bare `proxy_pass` of nginx. */

const KINDS = ["ours", "plain"] as const;
type Kind = (typeof KINDS)[number];

/** What became of some requests. */
interface Tally {
    readonly sent: number;
    readonly answered: number;
    /** How often at most one and the same request reached the server: of those that must not twice, and of the rest. */
    readonly mostUnsafe: number;
    readonly mostSafe: number;
}

const START_SECONDS = 1;
const PATIENCE_MS = 90_000;
const ROOM = "/_matrix/client/v3/rooms/!a/";
const REQUESTS = [
    { method: "GET", path: `${ROOM}messages/`, isSafe: true },
    { method: "PUT", path: `${ROOM}send/m.room.message/`, isSafe: true },
    { method: "PUT", path: `${ROOM}state/m.room.topic/`, isSafe: false },
    { method: "POST", path: `${ROOM}join/`, isSafe: false },
] as const;

async function withProxy(kind: Kind, act: (proxy: ProxyAlone) => Promise<Tally>): Promise<Tally> {
    const proxy = await ProxyAlone.start({ plain: kind === "plain", startSeconds: START_SECONDS });
    try {
        return await act(proxy);
    } finally {
        await proxy.remove();
    }
}

/** Sends a request each so many milliseconds, so many in all, while something is done. */
async function tally(
    proxy: ProxyAlone,
    count: number,
    each: number,
    act: () => Promise<unknown>,
): Promise<Tally> {
    const mark = randomBytes(4).toString("hex");
    const answers: Promise<number>[] = [];
    const acting = act();
    for (let index = 0; index < count; index += 1) {
        const request = REQUESTS[index % REQUESTS.length];
        if (request === undefined) continue;
        // Every third is at work when the server goes.
        const path = `${request.path}${mark}-${index}${index % 3 === 0 ? "?do=sleep" : ""}`;
        const body = request.method === "GET" ? undefined : "{}";
        const asked = ask({
            port: proxy.port,
            ca: proxy.ca,
            method: request.method,
            path,
            options: { timeout: PATIENCE_MS },
            ...(body === undefined ? {} : { body }),
        });
        answers.push(asked.then(({ status }) => status).catch(() => 0));
        if (each > 0) await sleep(each);
    }
    await acting;
    const statuses = await Promise.all(answers);
    const times = { safe: [0], unsafe: [0] };
    const deliveries = new Map<string, number>();
    for (const { path } of await proxy.deliveries(mark))
        deliveries.set(path, (deliveries.get(path) ?? 0) + 1);
    for (const [path, count] of deliveries) {
        const isSafe = REQUESTS.some((request) => request.isSafe && path.startsWith(request.path));
        times[isSafe ? "safe" : "unsafe"].push(count);
    }
    return {
        sent: statuses.length,
        answered: statuses.filter((status) => status === 200).length,
        mostUnsafe: Math.max(...times.unsafe),
        mostSafe: Math.max(...times.safe),
    };
}

async function compare(
    what: string,
    act: (proxy: ProxyAlone) => Promise<Tally>,
): Promise<Record<Kind, Tally>> {
    const ours = await withProxy("ours", act);
    const plain = await withProxy("plain", act);
    console.log(`${what}: ours ${JSON.stringify(ours)}, plain ${JSON.stringify(plain)}`);
    return { ours, plain };
}

function assertNoWorse({ ours, plain }: Record<Kind, Tally>): void {
    assert.ok(
        ours.answered >= plain.answered,
        `${ours.answered} answers, and ${plain.answered} with plain nginx`,
    );
    assert.equal(ours.mostUnsafe, 1, "deliveries of what must not be delivered twice");
    assert.ok(ours.mostSafe <= 2, `${ours.mostSafe} deliveries of what may be delivered twice`);
}

test("of 200 requests to a server that stalls for 20 seconds, all are answered, and delivered once", {
    timeout: 300_000,
}, async () => {
    const both = await compare("stalled", async (proxy) => {
        await docker("kill", "--signal", "STOP", proxy.synapse);
        return tally(proxy, 200, 0, async () => {
            await sleep(20_000);
            await docker("kill", "--signal", "CONT", proxy.synapse);
        });
    });
    assertNoWorse(both);
    assert.equal(both.ours.answered, 200);
    assert.equal(both.ours.mostSafe, 1);
});

test("a server that is killed again and again answers no fewer requests, and gets none twice that it must not", {
    timeout: 300_000,
}, async () => {
    assertNoWorse(
        await compare("killed five times", (proxy) =>
            tally(proxy, 750, 20, async () => {
                for (let count = 0; count < 5; count += 1) {
                    await sleep(2000);
                    await docker("kill", proxy.synapse);
                    await docker("start", proxy.synapse);
                }
            }),
        ),
    );
});

test("a server that is killed for want of memory answers no fewer requests, and gets none twice that it must not", {
    timeout: 300_000,
}, async () => {
    assertNoWorse(
        await compare("out of memory three times", async (proxy) => {
            const hogs: number[] = [];
            const outcome = await tally(proxy, 750, 20, async () => {
                for (let count = 0; count < 3; count += 1) {
                    await sleep(3000);
                    const path = `${ROOM}join/hog-${count}?do=hog`;
                    const { port, ca } = proxy;
                    const { status } = await ask({ port, ca, path, method: "POST", body: "{}" });
                    hogs.push(status);
                }
            });
            assert.deepEqual(hogs, [502, 502, 502]);
            const paths = (await proxy.deliveries("hog-")).map(({ path }) => path);
            assert.ok(paths.length > 0, "it was killed");
            assert.equal(new Set(paths).size, paths.length, "by each of them once");
            return outcome;
        }),
    );
});

test("400 requests that are held for a quarter of a minute cost nginx less than 120 MB", {
    timeout: 120_000,
}, async () => {
    const proxy = await ProxyAlone.start();
    try {
        const kilobytes = "cat /proc/[0-9]*/status | awk '/^VmRSS/ { all += $2 } END { print all }'";
        await docker("stop", "-t", "0", proxy.synapse);
        const path = "/_matrix/client/versions";
        const options = { timeout: PATIENCE_MS };
        const answers = Array.from({ length: 400 }, () =>
            ask({ port: proxy.port, ca: proxy.ca, path, options }),
        );
        await sleep(16_000);
        const held = Number(await docker("exec", proxy.nginx, "sh", "-c", kilobytes));
        await docker("start", proxy.synapse);
        const statuses = await Promise.all(answers.map(async (answer) => (await answer).status));
        assert.deepEqual([...new Set(statuses)], [200]);
        console.log(`${Math.round(held / 1000)} MB`);
        assert.ok(held < 120_000, `${held} kB`);
    } finally {
        await proxy.remove();
    }
});
