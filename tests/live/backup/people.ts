import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Accounts } from "../../support/accounts.ts";
import { docker } from "../../support/homeserver.ts";
import { ask, type Response } from "../../support/http.ts";

/** What the server calls whatever alice has made. */
interface Made {
    readonly token: string;
    readonly device: string;
    readonly room: string;
    readonly event: string;
    readonly media: string;
    readonly version: string;
}

const PASSWORD = "a password of hers";
const OTHER = randomBytes(100_000);
const CIPHERTEXT = randomBytes(600).toString("base64");

/** Somebody who uses the server, and looks whether all that she has made is still there. */
export class Alice {
    readonly #name: string;
    readonly #port: number;
    #made: Made | undefined;

    constructor(name: string, port: number) {
        this.#name = name;
        this.#port = port;
    }

    /** Makes what must not be lost: a room with encrypted messages, keys, a file. */
    async live(): Promise<void> {
        const login = await new Accounts(this.#name, this.#port).logIn("alice", PASSWORD);
        const { access_token: token, device_id: device } = JSON.parse(login.body) as Record<string, string>;
        assert.ok(token !== undefined && device !== undefined, login.body);
        const call = (method: string, path: string, body: unknown) => this.#json(token, method, path, body);
        await call("POST", "/_matrix/client/v3/keys/upload", {
            device_keys: deviceKeys(device),
            one_time_keys: { "curve25519:AAAAHg": CIPHERTEXT.slice(0, 43) },
        });
        const { room_id: room = "" } = await call("POST", "/_matrix/client/v3/createRoom", {
            initial_state: [{ type: "m.room.encryption", content: { algorithm: "m.megolm.v1.aes-sha2" } }],
        });
        const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.encrypted/one`;
        const { event_id: event = "" } = await call("PUT", path, {
            algorithm: "m.megolm.v1.aes-sha2",
            ciphertext: CIPHERTEXT,
            session_id: "a session",
        });
        const { version = "" } = await call("POST", "/_matrix/client/v3/room_keys/version", {
            algorithm: "m.megolm_backup.v1.curve25519-aes-sha2",
            auth_data: { public_key: "hers" },
        });
        const keys = `/_matrix/client/v3/room_keys/keys/${encodeURIComponent(room)}/session?version=${version}`;
        await call("PUT", keys, {
            first_message_index: 0,
            forwarded_count: 0,
            is_verified: true,
            session_data: { ciphertext: CIPHERTEXT },
        });
        const uploaded = await this.#ask(token, "POST", "/_matrix/media/v3/upload?filename=a.bin", OTHER);
        const { content_uri: media = "" } = JSON.parse(uploaded.body) as Record<string, string>;
        this.#made = { token, device, room, event, media, version };
        // What another server could send again.
        await docker(
            "exec",
            this.#name,
            "sh",
            "-c",
            "cd /data/media_store; mkdir -p remote_content url_cache; echo x | tee remote_content/x >url_cache/x",
        );
    }

    /** All is as it was, for the token of before and for whoever logs in anew. */
    async findsAll(): Promise<void> {
        const made = this.#made;
        assert.ok(made !== undefined);
        const { device, event, media, room, token, version } = made;
        const get = (path: string) => this.#json(token, "GET", path);
        const who = await get("/_matrix/client/v3/account/whoami");
        assert.deepEqual([who.user_id, who.device_id], ["@alice:localhost", device]);
        const { content } = (await get(
            `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/event/${encodeURIComponent(event)}`,
        )) as unknown as { content: { ciphertext: string } };
        assert.equal(content.ciphertext, CIPHERTEXT);
        const { device_keys } = (await this.#json(token, "POST", "/_matrix/client/v3/keys/query", {
            device_keys: { "@alice:localhost": [] },
        })) as unknown as { device_keys: Record<string, Record<string, { keys: unknown }>> };
        assert.deepEqual(device_keys["@alice:localhost"]?.[device]?.keys, deviceKeys(device).keys);
        const backedUp = await get(`/_matrix/client/v3/room_keys/keys?version=${version}`);
        assert.match(JSON.stringify(backedUp), new RegExp(CIPHERTEXT.replaceAll(/[+/]/g, ".")));
        const file = await fetch(
            `http://127.0.0.1:${this.#port}/_matrix/client/v1/media/download/${media.replace("mxc://", "")}`,
            { headers: { authorization: `Bearer ${token}` } },
        );
        assert.equal(file.status, 200);
        assert.ok(OTHER.equals(Buffer.from(await file.arrayBuffer())));
        await new Accounts(this.#name, this.#port).tokenOf("alice", PASSWORD);
    }

    /** How many keys the server would give to who writes to her first. */
    async oneTimeKeys(): Promise<number> {
        const { one_time_key_counts: counts } = (await this.#json(
            this.#made?.token ?? "",
            "POST",
            "/_matrix/client/v3/keys/upload",
            {},
        )) as unknown as { one_time_key_counts: Record<string, number> };
        return counts.curve25519 ?? 0;
    }

    static readonly password = PASSWORD;

    async #json(
        token: string,
        method: string,
        path: string,
        body?: unknown,
    ): Promise<Record<string, string>> {
        const answer = await this.#ask(
            token,
            method,
            path,
            body === undefined ? undefined : JSON.stringify(body),
        );
        assert.equal(answer.status, 200, `${method} ${path}: ${answer.body}`);
        return JSON.parse(answer.body) as Record<string, string>;
    }

    #ask(token: string, method: string, path: string, body?: Buffer | string): Promise<Response> {
        const headers = {
            authorization: `Bearer ${token}`,
            ...(body !== undefined && { "content-length": Buffer.byteLength(body) }),
        };
        return ask({ port: this.#port, path, method, headers, ...(body === undefined ? {} : { body }) });
    }
}

function deviceKeys(device: string) {
    return {
        user_id: "@alice:localhost",
        device_id: device,
        algorithms: ["m.olm.v1.curve25519-aes-sha2"],
        keys: { [`curve25519:${device}`]: "a key of hers", [`ed25519:${device}`]: "another" },
        signatures: {},
    };
}
