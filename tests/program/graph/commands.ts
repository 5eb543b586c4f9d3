import assert from "node:assert/strict";
import { test } from "node:test";
import { some } from "../../support/some.ts";
import { commandsOf, everythingBefore, registered, uploadsOf } from "./looks.ts";
import { everyRun, type Run, runs } from "./runs.ts";

test("no command deletes, and none is replaced: that would run against data in use", () => {
    const commands = everyRun.flatMap((run) =>
        some(commandsOf(run)).map((command) => ({ ...command, calls: run.calls })),
    );
    for (const { name, inputs, replaceOnChanges, hooks, calls } of commands) {
        assert.equal("delete" in inputs, false, name);
        assert.equal("triggers" in inputs, false, name);
        // Pulumi's own; without triggers it never happens.
        assert.deepEqual(replaceOnChanges, ["triggers[*]"], name);
        // They look, and do nothing.
        const looks = hooks.beforeCreate.filter(
            (hook) => !["synapse-loopback", "network-ipv6-guard"].includes(hook),
        );
        assert.deepEqual(
            looks,
            name === "verification-questions" && isOutside(calls) ? ["verification-outside"] : [],
        );
    }
});

/** Whether the internet is looked at. */
function isOutside([call]: Run["calls"]): boolean {
    return call !== undefined && (call.environment as Record<string, string>).OUTSIDE !== "null";
}

test("a command does the same when it is made and when something about it changes", () => {
    for (const { name, inputs } of everyRun.flatMap((run) => some(commandsOf(run)))) {
        // Without `update`, `create` runs again.
        assert.equal(inputs.update ?? inputs.create, inputs.create, name);
        // A failure quotes the command.
        assert.match(
            String(inputs.create),
            /^exec (sh components\/docker\/(task|ready|ipv6)\.sh|node components\/verification\/run-verify\.ts)$/,
        );
        assert.equal(inputs.logging, "stderr");
        assert.equal(inputs.addPreviousOutputInEnv, name === "synapse-data-generation", name);
    }
});

/** What speaks to the database. */
const CONNECTED = [
    "restore-database",
    "synapse-database",
    "synapse-migration",
    "synapse-dump",
    "database-store",
    "postgres-upgrade",
];

test("every script in a container but certbot and what asks the database is without network, and names its user", () => {
    for (const { name, inputs } of everyRun.flatMap((run) => some(commandsOf(run)))) {
        const { TASK_OPTIONS: options } = inputs.environment as Record<string, string>;
        if (options === undefined) continue;
        if (name === "certbot-issuance") {
            assert.match(options, /^--user\n101:101\n--tmpfs\n/);
            assert.equal((inputs.environment as Record<string, string>).TASK_NETWORK, "synapse-test");
            continue;
        }
        // It is elsewhere in some of the runs.
        if (["backup-repository-proof", "restore-files"].includes(name)) {
            assert.match(options, /^(--network\nnone\n)?--user\n991:991\n--env\n/);
            continue;
        }
        // SQLite is in a file.
        const isInFile = name === "synapse-dump" && options.startsWith("--network\nnone\n");
        if (CONNECTED.includes(name) && !isInFile) {
            const user: Readonly<Record<string, RegExp>> = {
                "database-store": /^--user\n0:0\n--cap-add\nCHOWN\n--env\n/,
                "postgres-upgrade":
                    /^--user\n0:0\n--cap-add\nDAC_READ_SEARCH\n--cap-add\nSETUID\n--cap-add\nSETGID\n--env\n/,
                "synapse-dump":
                    /^--user\n0:0\n--cap-add\nCHOWN\n--cap-add\nSETUID\n--cap-add\nSETGID\n--env\n/,
            };
            assert.match(options, user[name] ?? /^--user\n991:991\n--env\n/);
            assert.match(
                (inputs.environment as Record<string, string>).TASK_NETWORK ?? "",
                /^synapse-test(-ipv6)?$/,
            );
            continue;
        }
        assert.match(options, /^--network\nnone\n--user\n\d+:\d+\n/, name);
    }
});

test("a new configuration is checked by Synapse before anything is touched, with its data read-only", () => {
    const check = registered(runs.files, "synapse-check");
    const { TASK_MOUNTS: mounts } = check.inputs.environment as Record<string, string>;
    assert.equal(mounts, "type=volume,dst=/data,readonly,src=\ntype=volume,dst=/compiled,readonly,src=");
    const [homeserver] = uploadsOf(runs.files, "synapse-config");
    assert.equal(check.inputs.stdin, homeserver?.content);
    assert.ok(registered(runs.files, "synapse-container").dependencies.includes("synapse-check"));
});

for (const [mode, resource, needs] of [
    ["none", "synapse-container", ["synapse-data-generation", "synapse-config-loader", "synapse-check"]],
    ["synapse", "synapse-container", ["certificates-copy", "synapse-config-loader"]],
    ["files", "nginx-container", ["nginx-configuration", "nginx-scripts-loader", "certificates-copy"]],
    ["files", "certificates-relay", ["certificates-copy", "certificates-scripts-loader"]],
    ["local-ca", "nginx-container", ["nginx-configuration", "nginx-scripts-loader", "certificates-issuance"]],
    ["local-ca", "certificate-renewal", ["certificates-issuance"]],
    ["acme", "nginx-container", ["certificates-ownership", "certificates-placeholder"]],
    [
        "acme",
        "certbot-issuance",
        ["nginx-container-ready", "synapse-container-ready", "certbot-scripts-loader"],
    ],
    ["acme", "certbot-container", ["certbot-issuance"]],
    ["acme", "verification-questions", ["certbot-issuance"]],
    ["none", "synapse-database", ["postgres-container-ready", "synapse-data-generation", "synapse-check"]],
    ["none", "synapse-dump", ["synapse-database"]],
    ["none", "synapse-migration", ["synapse-dump"]],
    ["none", "synapse-container", ["synapse-migration"]],
    ["none", "postgres-container", ["postgres-initialization", "postgres-upgrade", "postgres-config-loader"]],
    ["none", "postgres-upgrade", ["postgres-initialization", "network"]],
    ["none", "postgres-let-in", ["postgres-container-ready"]],
    // Which may be away.
    ["none", "synapse-check", ["postgres-let-in"]],
    ["none", "verification-questions", ["synapse-container-ready"]],
    ["files", "verification-questions", ["synapse-container-ready", "nginx-container-ready"]],
] as const) {
    test(`${resource} waits for ${needs.join(", ")} (${mode})`, () => {
        const before = everythingBefore(runs[mode], resource);
        for (const need of needs) assert.ok(before.has(need), need);
    });
}

test("a server that runs goes on while another's files are made ready", () => {
    // nginx would otherwise be held up, and replaced last, by whatever holds Synapse up.
    assert.equal(everythingBefore(runs.files, "nginx-container").has("synapse-container"), false);
});
