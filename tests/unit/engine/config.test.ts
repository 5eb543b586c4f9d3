import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { findProject, forProgram, readConfig } from "../../../engine/config.ts";
import { lock } from "../../../engine/record.ts";

let root: string;
beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "engine-config-"));
    write(
        "Pulumi.yaml",
        "name: it\nruntime: nodejs\nconfig: { level: { type: string, default: INFO }, docker:host: { value: unix:///x } }",
    );
});
afterEach(() => rmSync(root, { recursive: true }));

const write = (name: string, content: string) => writeFileSync(join(root, name), content);

test("overrides come before the stack's file, and that before the project's defaults", () => {
    write("Pulumi.dev.yaml", "config: { it:level: DEBUG, it:tls: { mode: acme }, it:port: 8443 }");
    mkdirSync(join(root, "below"));
    const project = findProject(join(root, "below"));
    assert.deepEqual(readConfig(project, "other", {}), { "it:level": "INFO", "docker:host": "unix:///x" });
    const config = readConfig(project, "dev", { tls: { mode: "none" }, port: null });
    assert.deepEqual(config, { "it:level": "DEBUG", "docker:host": "unix:///x", "it:tls": { mode: "none" } });
    assert.equal(forProgram(config)["it:tls"], '{"mode":"none"}');
});

test("a stack without settings is an error, unless they are given otherwise", () => {
    assert.throws(() => readConfig(findProject(root), "dev", undefined), /there is no Pulumi.dev.yaml/);
});

test("an encrypted value is refused, wherever it is", () => {
    write("Pulumi.dev.yaml", "config: { it:smtp: { hosts: [{ password: { secure: v1:abc } }] } }");
    const read = () => readConfig(findProject(root), "dev", {});
    assert.throws(
        read,
        /it:smtp: hosts: 0: password is encrypted, and the embedded engine has no decryption/,
    );
});

test("a stack is locked while a run lives, and a dead run's lock is taken over", () => {
    const unlock = lock(root, "dev");
    assert.throws(
        () => lock(root, "dev"),
        new RegExp(`another run is at work on stack dev \\(process ${process.pid}\\)`),
    );
    lock(root, "other")();
    unlock();
    write("dev.lock", "99999999 1");
    lock(root, "dev")();
    write("dev.lock", `${process.pid} 1`); // The id is in use again, by a process that started later.
    lock(root, "dev")();
});
