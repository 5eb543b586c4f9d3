import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { ask } from "./http.ts";

/** Synapse's options for a server that is filled by a test: anybody may register, and nobody is slowed down. */
export const OPEN = {
    enable_registration: true,
    enable_registration_without_verification: true,
    ...Object.fromEntries(
        ["rc_message", "rc_registration", "rc_room_creation", "rc_joins_per_room"].map((limit) => [
            limit,
            { per_second: 10_000, burst_count: 10_000 },
        ]),
    ),
    rc_joins: { local: { per_second: 10_000, burst_count: 10_000 } },
    rc_invites: { per_room: { per_second: 10_000, burst_count: 10_000 } },
    rc_login: Object.fromEntries(
        ["address", "account", "failed_attempts"].map((limit) => [
            limit,
            { per_second: 10_000, burst_count: 10_000 },
        ]),
    ),
    bcrypt_rounds: 4,
} as const;

/** How many of what there is to be. */
export interface Size {
    readonly users: number;
    readonly rooms: number;
    /** In each room. */
    readonly events: number;
    readonly files: number;
}

interface User {
    readonly id: string;
    readonly device: string;
    readonly token: string;
    readonly password: string;
}

const API = "/_matrix/client/v3";

/** People who live on a server: their accounts, devices, encrypted rooms and files, made by the client API. */
export class Inhabitants {
    readonly users: User[] = [];
    readonly #rooms: string[] = [];
    /** Path of each file → hash of what was uploaded. */
    readonly #files = new Map<string, string>();

    /** Moves in, by a plain port of the server. */
    async moveIn(port: number, { events, files, rooms, users }: Size): Promise<void> {
        for (let index = 0; index < users; index += 1)
            this.users.push(await register(port, `user${index}`, index));
        for (let index = 0; index < rooms; index += 1) this.#rooms.push(await this.#room(port, index));
        for (let index = 0; index < files; index += 1) {
            const content = randomBytes(1000 * (index + 1));
            const { content_uri: uri } = await this.#as<{ content_uri: string }>(port, index, {
                path: `/_matrix/media/v3/upload?filename=${index}.bin`,
                method: "POST",
                body: content,
                headers: { "content-type": "application/octet-stream" },
            });
            this.#files.set(uri.replace("mxc://", "/_matrix/client/v1/media/download/"), hash(content));
        }
        await Promise.all(
            this.#rooms.map(async (room, number) => {
                for (let index = 0; index < events; index += 1) await this.write(port, room, number + index);
            }),
        );
    }

    /** One more message, from the member of that number. Its event id. */
    async write(port: number, room = this.#rooms[0] ?? "", member = 0): Promise<string> {
        const body = JSON.stringify({
            algorithm: "m.megolm.v1.aes-sha2",
            ciphertext: randomBytes(60).toString("base64"),
            session_id: randomBytes(8).toString("hex"),
        });
        const transaction = randomBytes(8).toString("hex");
        const path = `${API}/rooms/${encodeURIComponent(room)}/send/m.room.encrypted/${transaction}`;
        return (await this.#as<{ event_id: string }>(port, member, { path, method: "PUT", body })).event_id;
    }

    /** Everything that they find on a server with their old tokens: to be compared with what they found before. */
    async findings(port: number): Promise<unknown> {
        const users = [];
        for (const [index, { id, device }] of this.users.entries()) {
            const read = (path: string) => this.#as(port, index, { path });
            users.push({
                whoami: await read(`${API}/account/whoami`),
                rooms: sorted((await read(`${API}/joined_rooms`)) as { joined_rooms: string[] }),
                // Each later login makes one more.
                device: ((await read(`${API}/devices`)) as { devices: { device_id: string }[] }).devices
                    .map(({ device_id }) => device_id)
                    .filter((known) => known === device),
                keys: await this.#as(port, index, {
                    path: `${API}/keys/query`,
                    method: "POST",
                    body: JSON.stringify({ device_keys: { [id]: [device] } }),
                }),
                backup: await read(`${API}/room_keys/keys?version=1`),
            });
        }
        const rooms = [];
        for (const room of this.#rooms) rooms.push(await this.#history(port, room));
        return { users, rooms };
    }

    /** Fails unless every file is, byte for byte, what was uploaded. */
    async findFiles(port: number): Promise<void> {
        for (const [path, uploaded] of this.#files) {
            const { token } = this.#user(0);
            const response = await fetch(`http://127.0.0.1:${port}${path}`, {
                headers: { authorization: `Bearer ${token}` },
                signal: AbortSignal.timeout(20_000),
            });
            assert.equal(response.status, 200, path);
            assert.equal(hash(Buffer.from(await response.arrayBuffer())), uploaded, path);
        }
    }

    /** Fails unless everybody can log in with the old password. */
    async logIn(port: number): Promise<void> {
        for (const { id, password } of this.users) {
            const body = { type: "m.login.password", identifier: { type: "m.id.user", user: id }, password };
            const answer = await ask({
                port,
                path: `${API}/login`,
                method: "POST",
                body: JSON.stringify(body),
            });
            assert.equal(answer.status, 200, `${id}: ${answer.body}`);
        }
    }

    async #room(port: number, index: number): Promise<string> {
        const initial_state = [
            { type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } },
        ];
        const body = JSON.stringify({ name: `Room ${index}`, preset: "public_chat", initial_state });
        const { room_id: room } = await this.#as<{ room_id: string }>(port, 0, {
            path: `${API}/createRoom`,
            method: "POST",
            body,
        });
        for (let member = 1; member < this.users.length; member += 1)
            await this.#as(port, member, {
                path: `${API}/join/${encodeURIComponent(room)}`,
                method: "POST",
                body: "{}",
            });
        return room;
    }

    /** Every event of a room, the oldest first. */
    async #history(port: number, room: string): Promise<unknown[]> {
        const events = [];
        for (let from = ""; ; ) {
            const path = `${API}/rooms/${encodeURIComponent(room)}/messages?dir=f&limit=500${from}`;
            const page = await this.#as<{ chunk: Record<string, unknown>[]; end?: string }>(port, 0, {
                path,
            });
            events.push(...page.chunk.map(({ unsigned: _, age: __, ...event }) => event));
            if (page.end === undefined || page.chunk.length === 0) return events;
            from = `&from=${encodeURIComponent(page.end)}`;
        }
    }

    #user(index: number): User {
        const user = this.users[index % this.users.length];
        assert.ok(user, "nobody lives there");
        return user;
    }

    #as<Answer>(
        port: number,
        index: number,
        request: Omit<Parameters<typeof ask>[0], "port">,
    ): Promise<Answer> {
        const { token } = this.#user(index);
        return answered<Answer>(port, {
            ...request,
            headers: { ...request.headers, authorization: `Bearer ${token}` },
        });
    }
}

async function register(port: number, name: string, index: number): Promise<User> {
    const password = randomBytes(12).toString("hex");
    const { access_token, device_id, user_id } = await answered<
        Record<"access_token" | "device_id" | "user_id", string>
    >(port, {
        path: `${API}/register`,
        method: "POST",
        body: JSON.stringify({ username: name, password, auth: { type: "m.login.dummy" } }),
    });
    const as = { headers: { authorization: `Bearer ${access_token}` } };
    const key = () => randomBytes(32).toString("base64").replaceAll("=", "");
    const device_keys = {
        user_id,
        device_id,
        algorithms: ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
        keys: { [`curve25519:${device_id}`]: key(), [`ed25519:${device_id}`]: key() },
        signatures: { [user_id]: { [`ed25519:${device_id}`]: key() } },
    };
    const one_time_keys = { [`signed_curve25519:${index}`]: { key: key(), signatures: {} } };
    const upload = JSON.stringify({ device_keys, one_time_keys });
    await answered(port, { ...as, path: `${API}/keys/upload`, method: "POST", body: upload });
    const version = { algorithm: "m.megolm_backup.v1.curve25519-aes-sha2", auth_data: { public_key: key() } };
    await answered(port, {
        ...as,
        path: `${API}/room_keys/version`,
        method: "POST",
        body: JSON.stringify(version),
    });
    const session = {
        first_message_index: 0,
        forwarded_count: 0,
        is_verified: true,
        session_data: { ciphertext: key(), ephemeral: key(), mac: key() },
    };
    await answered(port, {
        ...as,
        path: `${API}/room_keys/keys?version=1`,
        method: "PUT",
        body: JSON.stringify({ rooms: { "!old:localhost": { sessions: { session } } } }),
    });
    return { id: user_id, device: device_id, token: access_token, password };
}

async function answered<Answer>(
    port: number,
    request: Omit<Parameters<typeof ask>[0], "port">,
): Promise<Answer> {
    const { status, body } = await ask({ ...request, port });
    assert.equal(status, 200, `${request.path}: ${body}`);
    return JSON.parse(body) as Answer;
}

function sorted({ joined_rooms }: { readonly joined_rooms: readonly string[] }): string[] {
    return [...joined_rooms].sort();
}

function hash(content: Buffer): string {
    return createHash("sha256").update(content).digest("hex");
}
