import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import { firstLine } from "../../../commands/ask-hidden.ts";
import { CommandError, UsageError } from "../../../commands/failure.ts";
import { parseArguments } from "../../../commands/user/arguments.ts";
import { listed, table } from "../../../commands/user/listing.ts";
import { checkNewName, parseName, userId } from "../../../commands/user/names.ts";
import { checked, generatePassword } from "../../../commands/user/password.ts";

describe("the command line of users", () => {
    test("says what is to be done, on which stack", () => {
        assert.deepEqual(parseArguments(["add", "alice", "--admin", "--generate", "--json"]), {
            action: {
                kind: "add",
                name: { localpart: "alice", server: undefined },
                admin: true,
                generate: true,
            },
            stack: "local",
            json: true,
        });
        assert.deepEqual(parseArguments(["--stack", "prod", "list"]), {
            action: { kind: "list" },
            stack: "prod",
            json: false,
        });
        assert.deepEqual(parseArguments(["deactivate", "@bob:example.org", "--erase"]).action, {
            kind: "deactivate",
            name: { localpart: "bob", server: "example.org" },
            erase: true,
            yes: false,
        });
        assert.deepEqual(parseArguments(["reset-password", "bob"]).action, {
            kind: "reset-password",
            name: { localpart: "bob", server: undefined },
            generate: false,
        });
    });

    for (const [args, message] of [
        [[], /^say what is to be done/],
        [["remove", "alice"], /^remove is nothing that can be done/],
        [["constructor", "alice"], /^constructor is nothing/],
        [["add"], /^add takes one name/],
        [["add", "alice", "bob"], /^add takes one name/],
        [["list", "alice"], /^list takes no name/],
        [["list", "--admin"], /^list has no --admin/],
        [["add", "alice", "--erase"], /^add has no --erase/],
        [["deactivate", "alice", "--generate"], /^deactivate has no --generate/],
        [["add", "alice", "--yes"], /^add has no --yes/],
        [["add", "_alice"], /cannot begin with _/],
        [["add", "123"], /cannot be a number/],
    ] as const) {
        test(`refuses ${args.join(" ") || "nothing"}`, () => {
            assert.throws(
                () => parseArguments(args),
                (error) => error instanceof UsageError && error.exitCode === 2 && message.test(error.message),
            );
        });
    }

    test("has no option for a password, which other users of the machine could see", () => {
        assert.throws(() => parseArguments(["add", "alice", "--password", "geheim"]), /Unknown option/);
    });
});

describe("a user's name", () => {
    for (const [text, localpart, server] of [
        ["alice", "alice", undefined],
        ["a.b_c=d-e/f+1", "a.b_c=d-e/f+1", undefined],
        ["@alice:example.org", "alice", "example.org"],
        ["@alice:example.org:8448", "alice", "example.org:8448"],
        ["@alice:[2001:db8::1]", "alice", "[2001:db8::1]"],
    ] as const) {
        test(`can be ${text}`, () => assert.deepEqual(parseName(text), { localpart, server }));
    }

    for (const text of [
        "",
        "Alice",
        "älice",
        "al ice",
        "@alice",
        "alice:example.org",
        "@:example.org",
        "@alice:",
        "alice\n",
        "stack-operator-0123456789abcdef",
    ]) {
        test(`cannot be ${JSON.stringify(text)}`, () => {
            assert.throws(() => parseName(text), UsageError);
        });
    }

    test("is one of this server, or refused", () => {
        assert.equal(userId({ localpart: "alice", server: undefined }, "example.org"), "@alice:example.org");
        assert.equal(
            userId({ localpart: "alice", server: "example.org" }, "example.org"),
            "@alice:example.org",
        );
        assert.throws(
            () => userId({ localpart: "alice", server: "example.com" }, "example.org"),
            /belongs to another server: this stack's users are of example\.org/,
        );
    });

    test("is at most 255 characters long, the server's name included", () => {
        const name = (length: number) => ({ localpart: "a".repeat(length), server: undefined });
        assert.equal(userId(name(242), "example.org").length, 255);
        assert.throws(() => userId(name(243), "example.org"), /longer than the 255/);
    });

    test("may begin with _ where the account is there already, as those of bridges do", () => {
        assert.equal(parseName("_bridge_alice").localpart, "_bridge_alice");
        assert.throws(() => checkNewName(parseName("_bridge_alice")), UsageError);
    });
});

describe("a password", () => {
    test("that is generated has 24 characters which nobody mistakes for others, and is another each time", () => {
        const made = Array.from({ length: 200 }, generatePassword);
        for (const password of made) assert.match(password, /^[a-km-np-zA-HJ-NP-Z2-9]{24}$/);
        assert.ok(!/[0O1lIio]/.test(made.join("")));
        assert.equal(new Set(made).size, made.length);
    });

    test("is the first line of what is piped in, whatever else it holds", async () => {
        const lineOf = (...chunks: string[]) => firstLine(Readable.from(chunks));
        assert.equal(await lineOf(" a pass", "word \nand more\n"), " a password ");
        assert.equal(await lineOf("without an end"), "without an end");
        assert.equal(await lineOf("from Windows\r\n"), "from Windows");
        assert.equal(await lineOf(), "");
    });

    test("is refused when it is empty, too long or holds a NUL", () => {
        assert.equal(checked("x".repeat(512)), "x".repeat(512));
        for (const password of ["", "x".repeat(513), "a\0b"])
            assert.throws(() => checked(password), CommandError);
    });
});

test("a list of users says who is an administrator, and who cannot log in", () => {
    const account = {
        name: "@alice:example.org",
        displayname: "Alice",
        admin: 1,
        deactivated: 0,
        locked: false,
        creation_ts: Date.UTC(2026, 1, 3),
        last_seen_ts: null,
    };
    const users = [
        listed(account),
        listed({
            ...account,
            name: "@bob:example.org",
            admin: false,
            deactivated: true,
            last_seen_ts: Date.UTC(2026, 4, 6),
        }),
    ];
    assert.deepEqual(users[0], {
        user: "@alice:example.org",
        displayName: "Alice",
        admin: true,
        state: "active",
        created: "2026-02-03T00:00:00.000Z",
        lastSeen: null,
    });
    assert.deepEqual(table(users).split("\n"), [
        "@alice:example.org  administrator               since 2026-02-03  never seen",
        "@bob:example.org                   deactivated  since 2026-02-03  seen 2026-05-06",
    ]);
    assert.match(table([]), /no users yet.*npm run user -- add/);
});
