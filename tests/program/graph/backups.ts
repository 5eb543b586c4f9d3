import assert from "node:assert/strict";
import { test } from "node:test";
import {
    environmentOf,
    everythingBefore,
    registered,
    SECRET,
    SIGNATURE,
    servicesOf,
    withoutHash,
} from "./looks.ts";
import { BACKUP_SECRETS, backedUp, keptHere, type Run, restoring, runs } from "./runs.ts";

const names = ({ registrations }: Run) => registrations.map(({ name }) => withoutHash(name)).sort();
const added = (run: Run, before: Run) => names(run).filter((name) => !names(before).includes(name));

test("with backup there are these resources beside the others, and none without", () => {
    assert.deepEqual(added(backedUp, runs.files), [
        "backup",
        "backup-container",
        "backup-container-ready",
        "backup-database",
        "backup-database-ready",
        "backup-old-secrets",
        "backup-ownership",
        "backup-pipe",
        "backup-repository",
        "backup-repository-ownership",
        "backup-repository-proof",
        "backup-repository-secrets",
        "backup-repository-secrets-store",
        "backup-repository-secrets-volume",
        "backup-repository-state",
        "backup-scripts",
        "backup-scripts-loader",
        "backup-scripts-volume",
        "restic-image",
    ]);
    for (const run of [runs.files, runs["local-ca"]])
        assert.deepEqual(
            names(run).filter((name) => /backup|restic|restore/.test(name)),
            [],
        );
});

test("a restore comes before the identity is made, and its database before Synapse's container", () => {
    assert.deepEqual(added(restoring, backedUp), [
        "restore",
        "restore-database",
        "restore-files",
        "restore-ownership",
        "restore-staging",
    ]);
    assert.ok(everythingBefore(restoring, "synapse-data-generation").has("restore-files"));
    assert.ok(everythingBefore(restoring, "restore-files").has("backup-repository-proof"));
    for (const later of ["synapse-check", "synapse-container"])
        assert.ok(everythingBefore(restoring, later).has("restore-database"), later);
    const before = everythingBefore(restoring, "restore-database");
    assert.ok(before.has("restore-files") && before.has("postgres-container-ready"));
    assert.equal(environmentOf(restoring, "restore-files").SNAPSHOT, "latest");
});

test("the repository is proven before the server is touched, and backups are made after it works", () => {
    assert.ok(everythingBefore(backedUp, "synapse-check").has("backup-repository-proof"));
    assert.ok(everythingBefore(backedUp, "backup-container").has("synapse-container-ready"));
    assert.ok(!everythingBefore(backedUp, "synapse-container").has("backup-container"));
});

test("its secrets are handed over by standard input alone, and stand nowhere else", () => {
    for (const run of [backedUp, restoring]) {
        for (const { name, inputs } of run.registrations) {
            const { stdin, ...others } = inputs;
            if (name === "backup-repository-secrets-store")
                assert.equal((stdin as Record<string, unknown>)[SIGNATURE], SECRET);
            const open = JSON.stringify(name === "backup-repository-secrets-store" ? others : inputs);
            for (const secret of BACKUP_SECRETS) {
                assert.ok(!open.includes(secret), name);
                assert.ok(!open.includes(Buffer.from(secret).toString("base64").slice(0, -4)), name);
            }
        }
    }
});

test("a repository on the Docker host needs no network, and one elsewhere has the stack's", () => {
    assert.equal(registered(keptHere, "backup-container").inputs.networkMode, "none");
    assert.match(JSON.stringify(registered(keptHere, "backup-container").inputs.mounts), /"\/mnt\/backups"/);
    assert.ok("networksAdvanced" in registered(backedUp, "backup-container").inputs);
    const envs = registered(keptHere, "backup-container").inputs.envs as string[];
    for (const variable of [
        "EVERY=6",
        "KEEP=--keep-last 3 --keep-weekly 4 --keep-monthly 6",
        "RESTIC_REPOSITORY=/repository",
    ])
        assert.ok(envs.includes(variable), envs.join("\n"));
});

test("the database is dumped by an image that can, with the data volume where it is SQLite's", () => {
    const image = (run: Run) => registered(run, "backup-database").inputs.image;
    assert.match(String(image(backedUp)), /postgres/);
    assert.match(String(image(keptHere)), /synapse/);
    assert.equal(servicesOf(backedUp).length, servicesOf(runs.files).length + 2);
});
