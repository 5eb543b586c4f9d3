import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { Listed } from "../../../commands/user/listing.ts";
import { processes } from "../../support/commands.ts";
import { docker, logs } from "../../support/homeserver.ts";
import { accounts, mustUser, run, server, user } from "./server.ts";

const WHOAMI = "/_matrix/client/v3/account/whoami";
const ADMIN = "/_synapse/admin/v2/users";

describe("npm run user", () => {
    test("add makes a user with the password that is piped in", async () => {
        const said = await mustUser(["add", "alice"], "correct horse\n");
        assert.equal(said, `Made @alice:localhost. Log in at ${run.outputs.clientUrl}\n`);
        const token = await accounts.tokenOf("alice", "correct horse");
        assert.equal(await accounts.statusWith(token, WHOAMI), 200);
        assert.equal(await accounts.statusWith(token, ADMIN), 403);
    });

    test("add --admin makes an administrator, and --generate the password", async () => {
        const said = await mustUser(["add", "@root:localhost", "--admin", "--generate", "--json"]);
        const { password, ...rest } = JSON.parse(said) as Record<string, unknown>;
        assert.deepEqual(rest, { user: "@root:localhost", admin: true, clientUrl: run.outputs.clientUrl });
        assert.equal(await accounts.statusWith(await accounts.tokenOf("root", String(password)), ADMIN), 200);
        // It is logged in nowhere but here.
        assert.deepEqual(
            await accounts.query("select count(*) from devices where user_id = '@root:localhost'"),
            [[1]],
        );
    });

    test("a name that is taken, wrong or of another server is refused before anything is done", async () => {
        const before = await accounts.query("select count(*) from users");
        for (const [name, code, message] of [
            ["alice", 1, /Synapse refused it: User ID already taken.*\n.*reset-password/],
            ["Alice", 2, /no user's name/],
            ["@alice:example.org", 2, /belongs to another server/],
            ["_alice", 2, /cannot begin with _/],
        ] as const) {
            const refused = await user(["add", name], { input: "a password\n" });
            assert.equal(refused.code, code, name);
            assert.match(refused.stderr, message);
            assert.equal(refused.stdout, "");
        }
        const missing = await user(["reset-password", "nobody", "--generate"]);
        assert.equal(missing.code, 1);
        assert.match(missing.stderr, /There is no @nobody:localhost/);
        const rows = "select count(*) from users where name not like '@stack-operator-%'";
        assert.deepEqual(await accounts.query(rows), before);
    });

    test("reset-password ends all sessions, and the old password with them", async () => {
        const token = await accounts.tokenOf("alice", "correct horse");
        const said = await mustUser(["reset-password", "alice", "--json"], "battery staple\n");
        assert.deepEqual(JSON.parse(said), { user: "@alice:localhost", clientUrl: run.outputs.clientUrl });
        assert.equal(await accounts.statusWith(token, WHOAMI), 401);
        assert.equal((await accounts.logIn("alice", "correct horse")).status, 403);
        assert.equal((await accounts.logIn("alice", "battery staple")).status, 200);
    });

    test("deactivate lets the user in no more", async () => {
        await mustUser(["add", "bob"], "a password\n");
        const token = await accounts.tokenOf("bob", "a password");
        assert.match(await mustUser(["deactivate", "bob", "--erase"]), /@bob:localhost is deactivated/);
        assert.equal(await accounts.statusWith(token, WHOAMI), 401);
        assert.equal((await accounts.logIn("bob", "a password")).status, 403);
        assert.match(await mustUser(["deactivate", "bob"]), /was deactivated already/);
        const reset = await user(["reset-password", "bob", "--generate"]);
        assert.equal(reset.code, 1);
        assert.match(reset.stderr, /@bob:localhost is deactivated/);
    });

    test("list shows everybody, however many, and none of the accounts that commands use", async () => {
        const script = readFileSync(new URL("../../../commands/user/admin.py", import.meta.url), "utf8");
        const many = "for n in range(105): register(f'many-{n:03}', 'x', False, inhibit_login=True)\n";
        await docker("exec", server.name, "python3", "-c", script.replace(/main\(\)\n$/, many));
        const { users } = JSON.parse(await mustUser(["list", "--json"])) as { users: Listed[] };
        const shown = Object.fromEntries(users.map(({ user, state, admin }) => [user, { state, admin }]));
        assert.equal(users.length, 108);
        assert.deepEqual(shown["@alice:localhost"], { state: "active", admin: false });
        assert.deepEqual(shown["@root:localhost"], { state: "active", admin: true });
        assert.deepEqual(shown["@bob:localhost"], { state: "deactivated", admin: false });
        assert.deepEqual(shown["@many-104:localhost"], { state: "active", admin: false });
        assert.match(await mustUser(["list"]), /^@root:localhost +administrator +since /m);
    });

    test("nothing usable of its own accounts is left, and what a killed run left is retired", async () => {
        const own = "name like '@stack-operator-%'";
        const standing = () => accounts.query(`select name from users where ${own} and deactivated = 0`);
        assert.deepEqual(await standing(), []);
        for (const table of ["access_tokens", "refresh_tokens", "devices"]) {
            const rows = `select count(*) from ${table} where user_id like '@stack-operator-%'`;
            assert.deepEqual(await accounts.query(rows), [[0]], table);
        }
        // One of an hour ago; and one that may be at work.
        const left = ["0".repeat(16), "1".repeat(16)].map((id) => `stack-operator-${id}`);
        for (const name of left) await server.registerUser(name, "unknown to all");
        await accounts.query(
            `update users set creation_ts = creation_ts - 3600 where name = '@${left[0]}:localhost'`,
        );
        await mustUser(["list"]);
        assert.deepEqual(await standing(), [[`@${left[1]}:localhost`]]);
    });

    test("a password stands in no process, no log and no record", async () => {
        const password = `secret-${randomBytes(12).toString("hex")}`;
        const look = { input: `${password}\n`, look: processes };
        const runs = [
            await user(["add", "carl"], look),
            await user(["reset-password", "carl", "--json"], look),
        ];
        const seen = runs.flatMap((typed) => typed.seen);
        const at = `exec --interactive ${server.name} python3`;
        assert.ok(
            seen.some((text) => text.includes(at)),
            "nobody looked while it ran",
        );
        const secret = /^registration_shared_secret: "(.+)"$/m.exec(
            await docker("exec", server.name, "cat", "/data/homeserver.yaml"),
        )?.[1];
        assert.ok(secret);
        const places = {
            processes: seen.join("\n"),
            printed: runs.map(({ stdout, stderr }) => stdout + stderr).join("\n"),
            containers: await docker("inspect", server.name, server.nginx),
            log: (await logs(server.name)) + (await logs(server.nginx)),
            record: await server.record(),
        };
        assert.deepEqual(
            runs.map(({ code }) => code),
            [0, 0],
            places.printed,
        );
        for (const [place, text] of Object.entries(places)) {
            assert.ok(!text.includes(password), `the password, in ${place}`);
            assert.ok(!text.includes(secret), `the shared secret, in ${place}`);
        }
    });
});
