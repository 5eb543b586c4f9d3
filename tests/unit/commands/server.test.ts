import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, describe, test } from "node:test";
import { CommandError, UsageError } from "../../../commands/failure.ts";
import { findServer } from "../../../commands/server.ts";

/** A project directory, and beside it a directory of programs that stand first on PATH. */
const directory = mkdtempSync(join(tmpdir(), "server-"));
const path = process.env.PATH;
after(() => {
    process.env.PATH = path;
    rmSync(directory, { recursive: true });
});
beforeEach(() => {
    rmSync(directory, { recursive: true });
    mkdirSync(join(directory, ".state"), { recursive: true });
    mkdirSync(join(directory, "bin"));
    // This machine may have a Pulumi CLI.
    process.env.PATH = join(directory, "bin");
});

const OUTPUTS = {
    clientUrl: "https://localhost:8443",
    containerName: "synapse-local",
    caCertificate: null,
    dockerHost: null,
    publishedPorts: { https: 8443, synapse: null },
    warnings: ["no DNS record"],
    verifyKey: "ed25519:a_AbCd aGk",
};

function record(stack: string, outputs: unknown): void {
    writeFileSync(join(directory, ".state", `${stack}.json`), JSON.stringify({ salt: "s", outputs }));
}

/** A Pulumi CLI that knows the stack `prod` alone. */
function pulumi(outputs: unknown): void {
    const file = join(directory, "bin/pulumi");
    const text = `#!/bin/sh
case "$*" in
"stack output --json --non-interactive --stack prod") ;;
*) echo "error: no stack named '\${6}' found" >&2; exit 255 ;;
esac
[ -d .state ] || exit 3
printf '%s' '${JSON.stringify(outputs)}'
`;
    writeFileSync(file, text);
    chmodSync(file, 0o755);
}

describe("the server of a stack", () => {
    test("is that of the embedded engine's record where there is no Pulumi CLI", async () => {
        record("local", OUTPUTS);
        assert.deepEqual(await findServer("local", directory), {
            stack: "local",
            clientUrl: "https://localhost:8443",
            containerName: "synapse-local",
            caCertificate: undefined,
            dockerHost: undefined,
            publishedPorts: { https: 8443 },
            warnings: ["no DNS record"],
            verifyKey: "ed25519:a_AbCd aGk",
            deployedBy: "npm start",
        });
    });

    test("is that which the Pulumi CLI knows, before any other", async () => {
        pulumi({ ...OUTPUTS, containerName: "synapse", dockerHost: "ssh://deploy@example.org" });
        record("prod", OUTPUTS);
        const server = await findServer("prod", directory);
        assert.equal(server.containerName, "synapse");
        assert.equal(server.dockerHost, "ssh://deploy@example.org");
        assert.equal(server.deployedBy, "pulumi up");
    });

    test("is the record's where the Pulumi CLI has no such stack, or nothing up in it", async (t) => {
        const said = t.mock.method(process.stderr, "write", () => true);
        pulumi({});
        for (const [stack, notes] of [
            ["local", 0],
            ["prod", 1],
        ] as const) {
            record(stack, OUTPUTS);
            assert.equal((await findServer(stack, directory)).containerName, "synapse-local");
            assert.equal(said.mock.callCount(), notes, stack);
        }
    });

    test("is the record's where the Pulumi CLI fails otherwise, which is said", async (t) => {
        const said = t.mock.method(process.stderr, "write", () => true);
        writeFileSync(
            join(directory, "bin/pulumi"),
            "#!/bin/sh\necho 'error: incorrect passphrase' >&2; exit 255\n",
            {
                mode: 0o755,
            },
        );
        record("prod", OUTPUTS);
        assert.equal((await findServer("prod", directory)).containerName, "synapse-local");
        assert.match(
            String(said.mock.calls[0]?.arguments[0]),
            /stack prod \(error: incorrect passphrase\).*`npm start`, by \.state\/prod\.json/,
        );
    });
});

describe("without a server, the message says why and what to do", () => {
    const message = (stack: string) =>
        findServer(stack, directory).then(
            () => assert.fail("there is one"),
            (error: unknown) => {
                assert.ok(error instanceof CommandError);
                return error.message;
            },
        );

    test("where nothing knows the stack", async () => {
        const said = await message("staging");
        assert.match(said, /no server of the stack staging/);
        assert.match(said, /npm start: there is no \.state\/staging\.json/);
        assert.match(said, /Pulumi: there is no Pulumi CLI on PATH/);
        assert.match(said, /Bring it up with `npm start`.* or `pulumi up`; or name another with --stack/);
    });

    test("where Pulumi does not know it, in Pulumi's own words", async () => {
        pulumi(OUTPUTS);
        assert.match(await message("staging"), /Pulumi: error: no stack named 'staging' found/);
    });

    test("where it was stopped, or never came up", async () => {
        pulumi({});
        record("prod", {});
        const said = await message("prod");
        assert.match(said, /no run of it has succeeded, or it was stopped/);
        assert.match(said, /Pulumi: the stack has had no successful `pulumi up`/);
    });

    test("where the record is damaged", async () => {
        writeFileSync(join(directory, ".state/local.json"), '{"outputs":');
        assert.match(await message("local"), /no run of it has succeeded/);
    });
});

for (const stack of ["", "../local", "--help", "a b", "a/b/c/d"]) {
    test(`${JSON.stringify(stack)} is no stack's name`, async () => {
        await assert.rejects(findServer(stack, directory), UsageError);
    });
}
