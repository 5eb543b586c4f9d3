import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { docker } from "../support/homeserver.ts";
import { ask, eventually } from "../support/http.ts";
import { FOR_HTTP3, MarkedRequests } from "../support/marked-requests.ts";
import { ProxyAlone } from "../support/proxy-alone.ts";
import { some } from "../support/some.ts";

/** What nginx does with single requests while Synapse restarts, breaks or drops them: counted where they arrive. */

let proxy: ProxyAlone;
before(async () => {
    // As Synapse does, so that nginx sees that it is gone.
    proxy = await ProxyAlone.start({ maxUploadSize: "2M", startSeconds: 1 });
});
after(() => proxy.remove());
let requests: MarkedRequests;
beforeEach(() => {
    requests = new MarkedRequests(proxy);
});
const send = (...request: Parameters<MarkedRequests["send"]>) => requests.send(...request);
const counts = () => requests.delivered();
const digest = (body: Buffer) => createHash("sha256").update(body).digest("hex").slice(0, 12);

const SEND = "/_matrix/client/v3/rooms/!a%3Ab/send/m.room.message/17";
const STATE = "/_matrix/client/v3/rooms/!a%3Ab/state/m.room.name/";
const TO_DEVICE = "/_matrix/client/v3/sendToDevice/m.room.encrypted/17";
const SLIDING_SYNC = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";
const CREATE_ROOM = "/_matrix/client/v3/createRoom";

test("while a restart is announced, new requests of any method wait, and arrive whole", async () => {
    const large = randomBytes(1024 * 1024);
    const small = Buffer.from("{}");
    proxy.announce();
    const asked = [
        send("GET", "/_matrix/client/versions"),
        send("PUT", TO_DEVICE, { body: small }),
        send("DELETE", "/_matrix/client/v3/devices/A"),
        send("POST", CREATE_ROOM, { body: small }),
        send("POST", "/_matrix/media/v3/upload", { body: large }),
        send("POST", "/_matrix/media/v3/upload", {
            body: large,
            headers: { "Transfer-Encoding": "chunked" },
        }),
        requests.sendHttp2("PUT", STATE, small),
        requests.sendHttp2("POST", "/_matrix/media/v3/upload", large),
    ];
    const overHttp3 = requests.sendHttp3("/_matrix/media/v3/upload");
    await sleep(1500);
    assert.deepEqual(await counts(), []);
    proxy.back();
    const answers = await Promise.all(asked);
    const of = (method: string, body = Buffer.alloc(0)) => `${method} ${body.length} ${digest(body)}`;
    assert.deepEqual(
        answers.map(({ status, body }) => `${status} ${body}`),
        [
            of("GET"),
            of("PUT", small),
            of("DELETE"),
            of("POST", small),
            of("POST", large),
            of("POST", large),
            of("PUT", small),
            of("POST", large),
        ].map((said) => `200 ${said}`),
    );
    assert.equal(await overHttp3, `200 ${of("POST", FOR_HTTP3)}`);
    assert.equal((await counts()).length, asked.length + 1);
});

test("an upload that turns out too large while it is held is refused as Matrix clients understand it", async () => {
    proxy.announce();
    const body = Buffer.alloc(3 * 1024 * 1024);
    for (const headers of [{}, { "Transfer-Encoding": "chunked" }]) {
        const answer = await send("POST", "/_matrix/media/v3/upload", { body, headers });
        assert.equal(answer.status, 413);
        assert.match(answer.body, /"M_TOO_LARGE"/);
    }
    proxy.back();
});

test("a request that Synapse drops is delivered once, and answered 502", async () => {
    const dropped = [
        ["GET", "/_matrix/client/versions"],
        ["PUT", SEND],
        ["PUT", TO_DEVICE],
        ["PUT", STATE],
        ["POST", SLIDING_SYNC],
        ["POST", CREATE_ROOM],
    ] as const;
    for (const [method, path] of dropped) {
        const { status, body, headers } = await send(method, `${path}?do=drop`);
        assert.equal(status, 502, path);
        assert.match(body, /"M_UNKNOWN".*not known/);
        assert.equal(headers["access-control-allow-origin"], "*");
    }
    assert.deepEqual(
        await counts(),
        dropped.map(([method, path]) => `${method} ${path}`),
    );
});

test("what broke with Synapse is delivered once more if that is safe, and answered; anything else is not", async () => {
    const safe = [
        ["GET", "/_matrix/client/versions"],
        ["PUT", SEND],
        ["PUT", "/_matrix/federation/v1/send/17"],
        ["POST", SLIDING_SYNC],
    ] as const;
    const unsafe = [
        ["PUT", TO_DEVICE],
        ["PUT", STATE],
        ["POST", CREATE_ROOM],
        ["DELETE", "/_matrix/client/v3/devices/A"],
    ] as const;
    const answers = [...safe, ...unsafe].map(([method, path]) => send(method, `${path}?do=sleep`));
    await eventually(5, counts, (delivered) => delivered.length === answers.length);
    await docker("kill", proxy.synapse);
    await docker("start", proxy.synapse);
    assert.deepEqual(
        (await Promise.all(answers)).map(({ status }) => status),
        [...safe.map(() => 200), ...unsafe.map(() => 502)],
    );
    const delivered = await counts();
    for (const [method, path] of safe) {
        assert.equal(delivered.filter((one) => one === `${method} ${path}`).length, 2, path);
    }
    for (const [method, path] of unsafe) {
        assert.equal(delivered.filter((one) => one === `${method} ${path}`).length, 1, path);
    }
});

test("no request is delivered a third time, though Synapse dies of it each time", async () => {
    assert.equal((await send("PUT", `${SEND}?do=die`)).status, 502);
    assert.equal((await counts()).length, 2);
    await eventually(
        20,
        () => send("GET", "/_matrix/client/versions"),
        ({ status }) => status === 200,
    );
});

test("what nginx has no memory to hold is told when to come again, and what it holds is answered", async () => {
    const small = await ProxyAlone.start({ memory: 2 });
    try {
        small.announce();
        const asked = Array.from({ length: 20 }, () =>
            ask({ port: small.port, ca: small.ca, method: "POST", path: CREATE_ROOM, body: "{}" }),
        );
        const refused = await Promise.all(asked.map((one) => Promise.race([one, sleep(3000)])));
        small.back();
        const answers = await Promise.all(asked);
        assert.equal(answers.filter(({ status }) => status === 200).length, 8);
        for (const { status, headers, body } of some(refused.filter((answer) => answer !== undefined))) {
            assert.equal(status, 503);
            assert.equal(headers["retry-after"], "5");
            assert.equal(headers["access-control-allow-origin"], "*");
            assert.match(body, /"M_UNKNOWN"/);
        }
    } finally {
        await small.remove();
    }
});

test("two hundred held requests come one after another", async () => {
    proxy.announce();
    const asked = Array.from({ length: 200 }, () => send("POST", CREATE_ROOM, { body: "{}" }));
    // All of them have to be there by then, on a slow machine too.
    await sleep(4000);
    proxy.back();
    assert.ok((await Promise.all(asked)).every(({ status }) => status === 200));
    const times = (await requests.deliveries()).map(({ at }) => at * 1000);
    const late = times.filter((at) => at > Math.min(...times) + 250).length;
    assert.ok(late > 40 && late < 195, `${late} of 200 a quarter of a second after the first`);
});
