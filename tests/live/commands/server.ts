import assert from "node:assert/strict";
import { after, before } from "node:test";
import { Accounts } from "../../support/accounts.ts";
import { type Typed, type } from "../../support/commands.ts";
import { Homeserver, type Run } from "../../support/homeserver.ts";

/** The one server of all tests of this directory. */

const OFTEN = { per_second: 1000, burst_count: 1000 };
export const server = new Homeserver({
    tls: { mode: "local-ca" },
    // Passwords are hashed fast, and there may be many logins.
    extraConfig: { bcrypt_rounds: 4, rc_login: { address: OFTEN, account: OFTEN, failed_attempts: OFTEN } },
});
export let run: Run;
export let accounts: Accounts;
before(async () => {
    run = await server.mustUp();
    accounts = new Accounts(server.name, run.outputs.publishedPorts.synapse);
});
after(() => server.destroy());

export function user(args: readonly string[], more?: Parameters<typeof type>[2]): Promise<Typed> {
    return type("user/user.ts", [...args, "--stack", server.stack], more);
}

/** As {@link user}, or fails with what was said. */
export async function mustUser(args: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await user(args, input === undefined ? {} : { input });
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
    return stdout;
}
