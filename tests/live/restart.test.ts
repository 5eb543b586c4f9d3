import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { engines } from "../support/deployment.ts";
import { docker, images, inspect, type Run } from "../support/homeserver.ts";
import { ask, eventually, type Response } from "../support/http.ts";
import { Load, type Outcome, type Target } from "../support/load.ts";
import { some } from "../support/some.ts";

/** Nobody notices a planned restart, whatever they ask of the server and however they ask it. */

const HOLD_SECONDS = 60;
/** Synapse's own limits, out of the way of a load from one address. */
const LIMITS = Object.fromEntries(
    ["rc_message", "rc_room_creation"].map((limit) => [limit, { per_second: 1000, burst_count: 1000 }]),
);
const KINDS = [
    "versions",
    "whoami",
    "account data",
    "message",
    "keys",
    "sync",
    "sliding sync",
    "upload",
    "room",
];

for (const engine of engines()) {
    describe(`a restart, with ${engine.name}`, () => {
        const server = engine.deployment({
            tls: { mode: "local-ca" },
            holdSeconds: HOLD_SECONDS,
            extraConfig: LIMITS,
        });
        const otherImage = `${server.name}:other`;
        let target: Target;

        before(async () => {
            const run = await server.mustUp();
            await server.registerUser("alice", "correct horse");
            target = await user(run);
        });
        after(async () => {
            await server.destroy();
            await docker("image", "rm", "--force", otherImage);
        });

        /** Fails if a load that runs before, during and after something is done notices it. */
        async function underLoad(act: () => Promise<unknown>): Promise<void> {
            const load = new Load(target);
            await sleep(3000);
            const [acted] = await Promise.allSettled([act()]);
            await sleep(3000);
            const outcome = await load.stop();
            if (acted.status === "rejected") assert.fail(String(acted.reason));
            assertUnnoticed(outcome);
        }

        /** The same, of something that restarts Synapse. */
        async function restartUnderLoad(act: () => Promise<unknown>): Promise<void> {
            const running = () => inspect(server.name, "{{.Id}} {{.State.StartedAt}}");
            const before = await running();
            await underLoad(act);
            assert.notEqual(await running(), before, "it was restarted");
        }

        test("of nginx's workers fails no request over twenty reloads", { timeout: 300_000 }, () =>
            underLoad(async () => {
                const reload = ["nginx", "-s", "reload", "-c", "/etc/nginx/stack/current/nginx.conf"];
                for (let count = 0; count < 20; count += 1) {
                    await docker("exec", server.nginx, ...reload);
                    await sleep(500);
                }
            }),
        );

        test("by docker fails no request of any kind, over HTTP/1.1 and HTTP/2", { timeout: 300_000 }, () =>
            restartUnderLoad(async () => {
                await docker("restart", server.name);
                const health = () => inspect(server.name, "{{.State.Health.Status}}");
                await eventually(120, health, (status) => status === "healthy");
            }),
        );

        test("for a changed configuration fails none, either", { timeout: 300_000 }, () =>
            restartUnderLoad(() =>
                server.mustUp({ extraConfig: { ...LIMITS, presence: { enabled: false } } }),
            ),
        );

        test("for another image fails none, either", { timeout: 300_000 }, async () => {
            const container = await docker("create", await inspect(server.name, "{{.Image}}"));
            await docker("commit", "--change", "LABEL made.by=a-test", container, otherImage);
            await docker("rm", container);
            await restartUnderLoad(() => server.mustUp({ images: { ...images, synapse: otherImage } }));
        });
    });
}

async function user({ outputs }: Run): Promise<Target> {
    const port = outputs.publishedPorts.https;
    const ca = outputs.caCertificate;
    const post = (path: string, body: unknown, token = "") =>
        ask({
            port,
            ca,
            path: `/_matrix/client/v3/${path}`,
            method: "POST",
            headers: token === "" ? {} : { authorization: `Bearer ${token}` },
            body: JSON.stringify(body),
        }).then(parsed);
    const login = await post("login", {
        type: "m.login.password",
        identifier: { type: "m.id.user", user: "alice" },
        password: "correct horse",
    });
    const token = String(login.access_token);
    const room = await post("createRoom", {}, token);
    return { port, ca, token, userId: "@alice:localhost", roomId: String(room.room_id) };
}

function parsed({ status, body }: Response): Record<string, unknown> {
    assert.equal(status, 200, body);
    return JSON.parse(body) as Record<string, unknown>;
}

function assertUnnoticed({ sent, kinds, failed, slowest, rate }: Outcome): void {
    console.log(`${sent} requests, ${rate.toFixed(0)} a second, the slowest ${slowest} ms`);
    assert.deepEqual(failed, {}, `of ${sent} requests`);
    assert.ok(rate >= 50, `${rate} requests a second`);
    for (const kind of some(KINDS)) {
        for (const protocol of ["HTTP/1.1", "HTTP/2"])
            assert.ok((kinds[`${kind} over ${protocol}`] ?? 0) > 0, `${kind} over ${protocol}`);
    }
    assert.ok(slowest < HOLD_SECONDS * 1000, `the slowest took ${slowest} ms`);
}
