import assert from "node:assert/strict";
import { after, before } from "node:test";
import { Homeserver, type Run } from "../../support/homeserver.ts";
import { ask, type Response } from "../../support/http.ts";

/** The one server of all tests of this directory. */

export const server = new Homeserver({ tls: { mode: "local-ca" }, maxUploadSize: "1M" }, { compiles: true });
export const LIMIT = 1024 * 1024;
/** The run that {@link askNginx} goes by: Docker picks another port for a container that starts again. */
export let first: Run;
/** Alice's. */
export let token: string;

before(async () => {
    await up();
    await server.registerUser("alice", "correct horse");
    await logIn();
});
after(() => server.destroy());

/** Brings it up, and from then on asks what that run left. */
export async function up(settings: Record<string, unknown> = {}): Promise<void> {
    first = await server.mustUp(settings);
}

/** Asks nginx's HTTPS port, trusting the stack's private CA. */
export function askNginx(path: string, more: Partial<Parameters<typeof ask>[0]> = {}): Promise<Response> {
    return ask({ port: first.outputs.publishedPorts.https, path, ca: first.outputs.caCertificate, ...more });
}

/** Logs Alice in, and from then on asks with the token that this gave. */
export async function logIn(): Promise<void> {
    const body = JSON.stringify({
        type: "m.login.password",
        identifier: { type: "m.id.user", user: "alice" },
        password: "correct horse",
    });
    const answer = await askNginx("/_matrix/client/v3/login", { method: "POST", body });
    assert.equal(answer.status, 200, answer.body);
    token = (JSON.parse(answer.body) as { access_token: string }).access_token;
}
