import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
    environmentInExport,
    environmentInRecord,
    findQuestions,
} from "../../../commands/verify/expectations.ts";
import { inWords, type Report } from "../../../commands/verify/report.ts";

const URN =
    "urn:pulumi:local::synapse::synapse:index:Homeserver$synapse:index:Verification$command:local:Command::homeserver-verification-questions";
const EXPECTATIONS = JSON.stringify({ container: "synapse-local", listeners: [] });
const ENVIRONMENT = { EXPECTATIONS, DOCKER_CONTEXT: "default", CHANGES: "one two" };

const record = (environment: unknown) => ({
    salt: "s",
    commands: {
        "urn:pulumi:local::synapse::command:local:Command::other": { inputs: { environment: {} } },
        [URN]: { digest: "d", inputs: { environment } },
    },
});
const deployment = (environment: unknown) => ({
    version: 3,
    deployment: {
        resources: [
            { urn: "urn:pulumi:local::synapse::pulumi:pulumi:Stack::synapse-local" },
            // Left by a replacement that was interrupted.
            { urn: URN, delete: true, inputs: { environment: { EXPECTATIONS: "older" } } },
            { urn: URN, inputs: { environment } },
        ],
    },
});

/** A project with the record of the stack `local`, and no Pulumi CLI that knows it. */
function project(t: TestContext, contents: unknown): string {
    const directory = mkdtempSync(join(tmpdir(), "verify-"));
    t.after(() => rmSync(directory, { recursive: true }));
    mkdirSync(join(directory, ".state"));
    writeFileSync(join(directory, ".state/local.json"), JSON.stringify(contents));
    return directory;
}

const SERVER = { stack: "local", containerName: "synapse-local" };

test("what `up` asked stands in the Pulumi CLI's state and in the embedded engine's record", () => {
    assert.deepEqual(environmentInExport(deployment(ENVIRONMENT)), ENVIRONMENT);
    assert.deepEqual(environmentInRecord(record(ENVIRONMENT)), ENVIRONMENT);
});

test("a state without a verification, or of another form, has no questions", () => {
    for (const state of [
        undefined,
        null,
        [],
        {},
        { deployment: {} },
        { deployment: { resources: [null] } },
    ]) {
        assert.equal(environmentInExport(state), undefined);
    }
    for (const state of [undefined, null, [], {}, { commands: { [URN]: {} } }, { commands: [] }]) {
        assert.equal(environmentInRecord(state), undefined);
    }
});

test("of the environment nothing is taken on but the questions and the Docker engine", async (t) => {
    const questions = await findQuestions(SERVER, project(t, record(ENVIRONMENT)));
    assert.deepEqual(questions, {
        expected: JSON.parse(EXPECTATIONS) as unknown,
        environment: { DOCKER_CONTEXT: "default" },
    });
});

test("another server's questions, encrypted ones and none are refused with what to do", async (t) => {
    const other = JSON.stringify({ container: "synapse", listeners: [] });
    for (const environment of [
        { EXPECTATIONS: other },
        { EXPECTATIONS: { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" } },
        { EXPECTATIONS: "{" },
        {},
    ]) {
        await assert.rejects(
            findQuestions(SERVER, project(t, record(environment))),
            /no verification in its state\.\nBring it up again/,
        );
    }
});

test("what holds comes first, a line each, and what does not at the end", () => {
    const report: Report = {
        stack: "local",
        clientUrl: "https://localhost:8443",
        holds: ["the client API at 127.0.0.1:8443: speaks v1.12", "the certificate at 127.0.0.1:8443: valid"],
        failures: ["the redirect to HTTPS at 127.0.0.1:8080 does not work.\n  connect ECONNREFUSED"],
        notes: ["Not asked: [::]:8443, since this machine has no IPv6."],
        certificateExpiry: "2027-01-02T03:04:05.000Z",
        warnings: ["the DNS lacks something"],
    };
    assert.deepEqual(inWords(report).split("\n"), [
        "https://localhost:8443: 2 things hold, 1 does not.",
        "  the client API at 127.0.0.1:8443: speaks v1.12",
        "  the certificate at 127.0.0.1:8443: valid",
        "Its certificate ends on 2027-01-02.",
        "Not asked: [::]:8443, since this machine has no IPv6.",
        "Warning: the DNS lacks something",
        "FAILED: the redirect to HTTPS at 127.0.0.1:8080 does not work.",
        "  connect ECONNREFUSED",
    ]);
});
