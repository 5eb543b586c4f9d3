import assert from "node:assert/strict";
import { docker } from "./homeserver.ts";
import { ask, type Response } from "./http.ts";

/** The accounts of a server, by its plain port and by its database. */
export class Accounts {
    readonly #container: string;
    readonly #port: number;

    constructor(container: string, port: number) {
        this.#container = container;
        this.#port = port;
    }

    logIn(name: string, password: string): Promise<Response> {
        const body = { type: "m.login.password", identifier: { type: "m.id.user", user: name }, password };
        const path = "/_matrix/client/v3/login";
        return ask({ port: this.#port, path, method: "POST", body: JSON.stringify(body) });
    }

    /** As {@link logIn}, or fails: an access token. */
    async tokenOf(name: string, password: string): Promise<string> {
        const { status, body } = await this.logIn(name, password);
        assert.equal(status, 200, body);
        return (JSON.parse(body) as { access_token: string }).access_token;
    }

    /** What a path answers to the bearer of a token. */
    async statusWith(token: string, path: string): Promise<number> {
        const headers = { authorization: `Bearer ${token}` };
        return (await ask({ port: this.#port, path, headers })).status;
    }

    /** Rows of the database, after a statement that may change it. */
    async query(sql: string): Promise<unknown[][]> {
        const open = "import json, sqlite3, sys; c = sqlite3.connect('/data/homeserver.db', 30)\n";
        const rows = "print(json.dumps(c.execute(sys.argv[1]).fetchall())); c.commit()";
        const printed = await docker("exec", this.#container, "python3", "-c", open + rows, sql);
        return JSON.parse(printed) as unknown[][];
    }
}
