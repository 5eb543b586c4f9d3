import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import type { Report } from "../../commands/status/report.ts";
import type { Listed } from "../../commands/user/listing.ts";
import { Accounts } from "../support/accounts.ts";
import { processes, type Typed, type } from "../support/commands.ts";
import { docker, Homeserver, logs, type Run } from "../support/homeserver.ts";

/** What people type once the server is up, on a server of their own. */

const OFTEN = { per_second: 1000, burst_count: 1000 };
const server = new Homeserver({
    tls: { mode: "local-ca" },
    // Passwords are hashed fast, and there may be many logins.
    extraConfig: { bcrypt_rounds: 4, rc_login: { address: OFTEN, account: OFTEN, failed_attempts: OFTEN } },
});
let run: Run;
let accounts: Accounts;
before(async () => {
    run = await server.mustUp();
    accounts = new Accounts(server.name, run.outputs.publishedPorts.synapse);
});
after(() => server.destroy());

function user(args: readonly string[], more?: Parameters<typeof type>[2]): Promise<Typed> {
    return type("user/user.ts", [...args, "--stack", server.stack], more);
}

/** As {@link user}, or fails with what was said. */
async function mustUser(args: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await user(args, input === undefined ? {} : { input });
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
    return stdout;
}

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
        const script = readFileSync(new URL("../../commands/user/admin.py", import.meta.url), "utf8");
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

describe("beside it", () => {
    const status = () => type("status.ts", ["--json", "--stack", server.stack]);

    test("npm run status tells of the whole stack, and fails when a part of it does not run", async () => {
        const { code, stdout, stderr } = await status();
        assert.equal(code, 0, stderr);
        const report = JSON.parse(stdout) as Report;
        assert.deepEqual(
            report.services.map(({ service, health }) => [service, health]),
            ["synapse", "nginx", "certificate-renewal"].map((service) => [service, "healthy"]),
        );
        assert.match(report.synapseVersion ?? "", /^\d+\.\d+/);
        assert.ok(report.certificate !== null && "days" in report.certificate);
        assert.ok(report.certificate.days > 7, JSON.stringify(report.certificate));
        assert.ok(report.volumes?.some(({ name }) => name === `${server.name}-data`));
        assert.ok((report.disk?.free ?? 0) > 0);

        await docker("stop", server.nginx);
        const without = await status();
        await docker("start", server.nginx);
        assert.equal(without.code, 1);
        assert.deepEqual((JSON.parse(without.stdout) as Report).faults, [
            `${server.nginx} does not run: it is exited`,
        ]);
    });

    test("npm run logs shows one service, or all of them by name", async () => {
        const of = (...args: string[]) => type("logs.ts", [...args, "--stack", server.stack]);
        assert.match((await of("synapse")).stdout, /synapse\.\S+ - \d+ - INFO - /);
        const all = await of();
        assert.equal(all.code, 0, all.stderr);
        for (const name of ["synapse", "nginx"]) assert.match(all.stdout, new RegExp(`^${name} +\\| `, "m"));
        assert.equal((await of("synapse", "--since", "2099-01-01T00:00:00Z")).stdout, "");
        const unknown = await of("postgres");
        assert.equal(unknown.code, 1);
        assert.match(unknown.stderr, /has no postgres; it has synapse, nginx, certificate-renewal/);
    });

    test("npm run open says where it is, also where nothing can be opened", async () => {
        const { code, stdout, stderr } = await type("open.ts", ["--stack", server.stack]);
        assert.equal(code, 0);
        assert.equal(stdout, `${run.outputs.clientUrl}/\n`);
        assert.match(stderr, /no display/);
    });

    test("npm run trust does nothing that was not agreed to", async () => {
        const { code, stdout, stderr } = await type("trust.ts", ["trust", "--stack", server.stack]);
        assert.equal(code, 1);
        assert.match(stdout, /CN=Private CA of localhost/);
        assert.match(stdout + stderr, /nothing was done|Cannot be done here/);
        const undo = await type("trust.ts", ["untrust", "--stack", server.stack]);
        assert.match(undo.stderr, /Nothing was trusted here/);
    });

    test("a server that does not run is said not to, with what to do", async () => {
        await docker("stop", server.name);
        const refused = await user(["list"]);
        await docker("start", server.name);
        assert.equal(refused.code, 1);
        assert.match(refused.stderr, new RegExp(`does not run: its container ${server.name} is exited`));
        assert.match(refused.stderr, new RegExp(`docker start ${server.name}`));
    });
});
