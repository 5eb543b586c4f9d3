import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { CommandError, UsageError } from "../../../commands/failure.ts";
import { parseArguments } from "../../../commands/key/arguments.ts";
import { onVolume } from "../../../commands/key/container.ts";
import { knownPassphrase, newPassphrase } from "../../../commands/key/passphrase.ts";
import { plannedServer } from "../../../commands/key/planned.ts";
import { inWords, rotationIn } from "../../../commands/key/rotate.ts";
import { keyFileOf, open } from "../../../commands/key/sealed.ts";
import { FakeDocker } from "../../support/fake-docker.ts";

const directory = mkdtempSync(join(tmpdir(), "key-"));
after(() => rmSync(directory, { recursive: true }));

const fails = (message: RegExp) => (error: unknown) =>
    error instanceof CommandError && message.test(error.message);

describe("the command line of the key", () => {
    test("says what is to be done, on which stack", () => {
        assert.deepEqual(parseArguments(["export", "--output", "key.age", "--stack", "prod"]), {
            kind: "export",
            stack: "prod",
            output: "key.age",
            passphraseFile: undefined,
        });
        assert.deepEqual(parseArguments(["import", "key.age", "--passphrase-file", "/dev/fd/3"]), {
            kind: "import",
            stack: "local",
            file: "key.age",
            passphraseFile: "/dev/fd/3",
        });
        assert.deepEqual(parseArguments(["rotate"]), { kind: "rotate", stack: "local" });
    });

    for (const [args, message] of [
        [[], /^say what is to be done/],
        [["constructor"], /^constructor is nothing/],
        [["export", "key.age"], /^export takes no more names/],
        [["import"], /^import takes the file/],
        [["import", "a", "b"], /^import takes no more names/],
        [["import", "a", "--output", "b"], /^import has no --output/],
        [["rotate", "--passphrase-file", "a"], /^rotate has no --passphrase-file/],
    ] as const) {
        test(`refuses ${args.join(" ") || "nothing"}`, () => {
            assert.throws(
                () => parseArguments(args),
                (error) => error instanceof UsageError && message.test(error.message),
            );
        });
    }
});

describe("the file", () => {
    const made = readFileSync(new URL("fixtures/key.age", import.meta.url), "utf8");
    const PASSPHRASE = "five words for a test";
    const key = {
        serverName: "example.org",
        verifyKey: "ed25519:a_x y",
        signingKey: "ed25519 a_x zzz\n",
        oldSigningKeys: {},
        replacedKeys: {},
    };

    test("that age itself has made is opened", async () => {
        assert.deepEqual(await open(made, PASSPHRASE), key);
    });

    test("is opened by no other passphrase, and only while it is whole", async () => {
        await assert.rejects(open(made, "five words for a text"), fails(/the passphrase is another one/));
        const damaged = made.replace(/.{9}==\n---/, "AAAAAAAAA==\n---");
        assert.notEqual(damaged, made);
        await assert.rejects(open(damaged, PASSPHRASE), fails(/cannot be opened/));
        await assert.rejects(open("ed25519 a_x zzz\n", PASSPHRASE), fails(/cannot be opened/));
    });

    test("with something else in it is refused, and nothing of it quoted", () => {
        for (const other of [
            JSON.stringify({ ...key, replacedKeys: { "../evil": "secret" } }),
            "secret",
            "{}",
        ]) {
            assert.throws(
                () => keyFileOf(other),
                (error) => fails(/no signing key/)(error) && !/secret|evil/.test(String(error)),
            );
        }
        assert.deepEqual(keyFileOf(JSON.stringify(key)), key);
    });
});

test("a passphrase is the first line of its file, and a new one has some length", async () => {
    const file = join(directory, "passphrase");
    writeFileSync(file, "correct horse battery\r\nmore\n");
    assert.equal(await newPassphrase(file), "correct horse battery");
    writeFileSync(file, "short");
    assert.equal(await knownPassphrase(file), "short");
    await assert.rejects(newPassphrase(file), fails(/at least 12 characters/));
    await assert.rejects(newPassphrase(join(directory, "none")), fails(/cannot be read/));
});

describe("a server that is not there yet", () => {
    const settings = (stack: string, text: string) =>
        writeFileSync(join(directory, `Pulumi.${stack}.yaml`), text);

    test("is known by its stack's settings, whatever else is encrypted there", () => {
        settings(
            "prod",
            "config:\n  synapse:serverName: example.org\n  synapse:dockerHost: ssh://deploy@example.org\n" +
                "  synapse:secretConfig:\n    secure: abc\n  other:name: x\n",
        );
        const { image, ...server } = plannedServer("organisation/synapse/prod", directory);
        assert.deepEqual(server, {
            serverName: "example.org",
            prefix: "synapse",
            dockerHost: "ssh://deploy@example.org",
        });
        assert.match(image, /synapse:v/);
        settings(
            "test",
            "config:\n  serverName: a.test\n  synapse:name: chat\n  synapse:images: { synapse: own:1 }\n",
        );
        assert.deepEqual(plannedServer("test", directory), {
            serverName: "a.test",
            prefix: "chat",
            dockerHost: undefined,
            image: "own:1",
        });
    });

    test("is refused where its settings are not there, or wrong", () => {
        assert.throws(() => plannedServer("none", directory), fails(/There is no Pulumi\.none\.yaml here/));
        assert.throws(() => plannedServer("../prod", directory), fails(/no name for a stack/));
        settings("wrong", "config:\n  synapse:name: Wrong Name\n");
        assert.throws(
            () => plannedServer("wrong", directory),
            fails(/synapse:serverName wants .*synapse:name wants/),
        );
        settings("empty", "");
        assert.throws(() => plannedServer("empty", directory), fails(/Pulumi\.empty\.yaml is no YAML/));
        settings("bare", "config:\n");
        assert.throws(() => plannedServer("bare", directory), fails(/synapse:serverName wants/));
    });
});

test("a rotation is told in the words of whatever deploys the stack", () => {
    const server = { stack: "prod", verifyKey: "ed25519:a_AbCd aGk" } as const;
    const byPulumi = inWords({ ...server, deployedBy: "pulumi up" }, 4);
    assert.match(byPulumi, /^ {2}pulumi config set --path synapse:signingKey\.rotation 5 --stack prod$/m);
    assert.match(byPulumi, /has the key ed25519:a_AbCd;/);
    const byHand = inWords({ ...server, stack: "local", deployedBy: "npm start" }, 0);
    assert.match(byHand, /^ {6}synapse:signingKey:\n {8}rotation: 1\n {2}npm start$/m);
    assert.equal(rotationIn("A=1\nKEY_ROTATION=12\nB=2\n"), 12);
    assert.equal(rotationIn("MY_KEY_ROTATION=12\n"), 0);
});

test("a container that has the key writes no log, has no network, and gets the key by its standard input", async () => {
    const docker = new FakeDocker();
    const file = join(directory, "asked");
    docker.runs(`printf '%s\\n' "$@" >'${file}'; env >>'${file}'; cat`);
    const answer = await onVolume({
        dockerHost: "ssh://deploy@example.org",
        image: "synapse:1",
        volume: "synapse-data",
        readOnly: true,
        user: "991:991",
        program: "read-key.py",
        input: "a secret",
    });
    assert.equal(answer, "a secret");
    const asked = readFileSync(file, "utf8");
    for (const words of [
        "--host\nssh://deploy@example.org\nrun\n--rm\n",
        "--log-driver\nnone\n",
        "--network\nnone\n",
        "--cap-drop\nALL\n",
        "type=volume,src=synapse-data,dst=/data,readonly\n",
    ])
        assert.ok(asked.includes(words), words);
    assert.ok(!asked.includes("a secret"));
});
