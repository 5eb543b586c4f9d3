import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { after, describe, test } from "node:test";
import { Accounts } from "../support/accounts.ts";
import { engines } from "../support/deployment.ts";
import { docker, inspect, type Run } from "../support/homeserver.ts";
import { ask, eventually } from "../support/http.ts";
import { freePorts } from "../support/ports.ts";

/** The signing key is replaced on request, and what the old one has signed stays true. */

type Signatures = Readonly<Record<string, Readonly<Record<string, string>>>>;

interface Keys {
    readonly server_name: string;
    readonly verify_keys: Readonly<Record<string, { readonly key: string }>>;
    readonly old_verify_keys: Readonly<Record<string, { readonly key: string; readonly expired_ts: number }>>;
    readonly signatures: Signatures;
}

interface Event {
    readonly origin_server_ts: number;
    readonly signatures: Signatures;
    readonly [field: string]: unknown;
}

const ROTATED = (rotation: number) => ({ signingKey: { rotation } });
/** Synapse refuses it before the running server is touched. */
const REFUSED = { extraConfig: { manhole_settings: { password: { is: "none" } } } };

for (const engine of engines()) {
    const [port = 0] = await freePorts(1);
    describe(`the signing key, with ${engine.name}`, () => {
        const server = engine.deployment({ tls: { mode: "none" }, ports: { synapse: port } });
        after(() => server.destroy());

        const runs: Run[] = [];
        const events: Event[] = [];
        let token = "";
        let room = "";

        const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
            const headers = { authorization: `Bearer ${token}` };
            const content = body === undefined ? {} : { body: JSON.stringify(body) };
            const answer = await ask({ port, path, method, headers, ...content });
            assert.equal(answer.status, 200, answer.body);
            return JSON.parse(answer.body) as T;
        };
        const keys = () => call<Keys>("GET", "/_matrix/key/v2/server");

        /** An event as it goes to other servers. */
        async function sent(text: string): Promise<Event> {
            const path = `/_matrix/client/v3/rooms/${room}/send/m.room.message/${events.length}-${Date.now()}`;
            const { event_id } = await call<{ event_id: string }>("PUT", path, {
                msgtype: "m.text",
                body: text,
            });
            const fetched = `/_synapse/admin/v1/fetch_event/${encodeURIComponent(event_id)}`;
            const { event } = await call<{ event: Event }>("GET", fetched);
            events.push(event);
            return event;
        }

        const keyIdOf = ({ signatures }: { readonly signatures: Signatures }) =>
            Object.keys(signatures.localhost ?? {});
        const verifyKeyOf = (run: Run) => run.outputs.verifyKey.split(" ") as [string, string];
        const onVolume = (script: string) => docker("exec", server.name, "sh", "-euc", script);

        /** Whether every event so far is signed by a key that the server says it has, or had at that time. */
        async function allVerify(): Promise<void> {
            const { old_verify_keys, verify_keys } = await keys();
            for (const event of events) {
                const [id = ""] = keyIdOf(event);
                const old = old_verify_keys[id];
                const key = verify_keys[id]?.key ?? old?.key;
                assert.ok(key !== undefined, `${id} is none of the server's`);
                assert.ok(old === undefined || old.expired_ts >= event.origin_server_ts, `${id} had expired`);
                assert.ok(isSigned(redacted(event), event.signatures.localhost?.[id], key), id);
                assert.ok(!isSigned({ ...redacted(event), depth: 0 }, event.signatures.localhost?.[id], key));
            }
        }

        test("what the first one signs verifies", async () => {
            runs.push(await server.mustUp());
            await server.registerUser("alice", "a password of hers");
            token = await new Accounts(server.name, port).tokenOf("alice", "a password of hers");
            room = (await call<{ room_id: string }>("POST", "/_matrix/client/v3/createRoom", {})).room_id;
            await sent("before");
            await allVerify();
        });

        if (server.preview) {
            test("a preview shows a rotation, and refuses two at once", async () => {
                const preview = await server.preview?.(ROTATED(1));
                assert.equal(preview?.code, 0, preview?.printed ?? "");
                assert.match(preview?.printed ?? "", /KEY_ROTATION *: "0" => "1"/);
                const refused = await server.preview?.(ROTATED(2));
                assert.notEqual(refused?.code, 0);
                assert.match(refused?.printed ?? "", /signingKey\.rotation is 0, and cannot become 2/);
            });
        }

        async function restart(): Promise<void> {
            await docker("restart", server.name);
            await eventually(
                60,
                () => inspect(server.name, "{{.State.Health.Status}}"),
                (health) => health === "healthy",
            );
        }

        test("a rotation that comes to nothing leaves the server its key, at a restart too", async () => {
            const failed = await server.up({ ...ROTATED(1), ...REFUSED });
            assert.notEqual(failed.code, 0);
            assert.match(failed.printed, /Synapse refuses this configuration/);
            await restart();
            const { old_verify_keys, verify_keys } = await keys();
            assert.deepEqual(
                [Object.keys(verify_keys), old_verify_keys],
                [[verifyKeyOf(some(runs[0]))[0]], {}],
            );
            await sent("in between");
            await allVerify();
        });

        test("a rotation gives it another one, and what the old one has signed still verifies", async () => {
            const file = await server.signingKey();
            const start = Date.now();
            const run = await server.mustUp(ROTATED(1));
            runs.push(run);
            const [first, second] = [verifyKeyOf(some(runs[0])), verifyKeyOf(run)];
            assert.notEqual(first[0], second[0]);
            assert.notEqual(first[1], second[1]);

            const answer = await keys();
            assert.deepEqual(answer.verify_keys, { [second[0]]: { key: second[1] } });
            const old = answer.old_verify_keys[first[0]];
            assert.equal(old?.key, first[1]);
            assert.ok(old.expired_ts > start && old.expired_ts < Date.now(), String(old.expired_ts));
            assert.deepEqual(keyIdOf(answer), [second[0]]);
            assert.ok(isSigned(answer, answer.signatures.localhost?.[second[0]], second[1]));

            assert.deepEqual(keyIdOf(await sent("after")), [second[0]]);
            assert.deepEqual(
                events.map((event) => keyIdOf(event)[0]),
                [first[0], first[0], second[0]],
            );
            await allVerify();
            assert.equal(await onVolume("cat /data/localhost.signing.key.until-*"), file);
            assert.equal(
                await onVolume(
                    "stat -c %u:%a /data/localhost.signing.key.until-* /data/localhost.signing.key | sort -u",
                ),
                "991:600",
            );
        });

        test("done again, nothing changes, and a restart goes on with the new one", async () => {
            const again = await server.again();
            assert.equal(again.code, 0, again.printed);
            const before = await keys();
            await restart();
            const { old_verify_keys, verify_keys } = await keys();
            assert.deepEqual(
                { old_verify_keys, verify_keys },
                { old_verify_keys: before.old_verify_keys, verify_keys: before.verify_keys },
            );
        });

        test("it cannot be taken back, and not be skipped", async () => {
            for (const rotation of [0, 3]) {
                const refused = await server.up(ROTATED(rotation));
                assert.notEqual(refused.code, 0);
                assert.match(refused.printed, /signingKey\.rotation is 1, and cannot become/);
            }
            assert.deepEqual(Object.keys((await keys()).verify_keys), [verifyKeyOf(some(runs[1]))[0]]);
        });

        test("killed as soon as there is another key, the next deployment takes that up", async () => {
            const { ended, process } = await server.begin(ROTATED(2));
            await eventually(
                120,
                () => onVolume("ls /data"),
                (files) => files.includes("localhost.signing.key.next"),
            );
            process.kill("SIGKILL");
            await ended;
            await server.recover();
            const run = await server.mustUp(ROTATED(2));
            await sent("after a second one");
            assert.equal(keyIdOf(some(events.at(-1)))[0], verifyKeyOf(run)[0]);
            assert.deepEqual(
                Object.keys((await keys()).old_verify_keys).sort(),
                runs.map((old) => verifyKeyOf(old)[0]).sort(),
            );
            await allVerify();
        });

        test("no key was printed, and none is in a record", async () => {
            const seed = /ed25519 a_\w+ [A-Za-z0-9+/]{43}/;
            assert.match(await server.signingKey(), seed);
            assert.doesNotMatch(await server.record(), seed);
            for (const { printed } of runs) assert.doesNotMatch(printed, seed);
        });
    });
}

function some<T>(value: T | undefined): T {
    assert.ok(value !== undefined);
    return value;
}

/** What of a message the server signs: all but what can be redacted. Its id is made from that. */
function redacted({ unsigned: _, event_id: __, ...event }: Event): object {
    return { ...event, content: {} };
}

function isSigned(object: object, signature: string | undefined, key: string): boolean {
    const { signatures: _, ...signed } = object as Record<string, unknown>;
    // What stands before an Ed25519 key in DER.
    const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), Buffer.from(key, "base64")]);
    const publicKey = createPublicKey({ key: der, format: "der", type: "spki" });
    return verify(null, Buffer.from(canonical(signed)), publicKey, Buffer.from(signature ?? "", "base64"));
}

/** Matrix's canonical JSON. */
function canonical(value: unknown): string {
    if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
    if (typeof value !== "object" || value === null) return JSON.stringify(value);
    const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
    return `{${entries.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join(",")}}`;
}
