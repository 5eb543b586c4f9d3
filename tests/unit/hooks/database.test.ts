import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { refusalOfMove } from "../../../components/synapse/database.ts";
import { DATABASE, databaseGuard } from "../../../components/synapse/guard.ts";
import { fakeEngine } from "../../support/engine.ts";
import { call } from "../../support/hooks.ts";

const PLACE = { PGHOST: "postgres", PGPORT: "5432", PGDATABASE: "synapse", MOVED: "no" };

test("the same place is no move, whatever else of the connection changes", () => {
    assert.equal(refusalOfMove(PLACE, { ...PLACE, PGUSER: "other", PGSSLMODE: "require" }), undefined);
});

for (const changed of [{ PGHOST: "db.example.org" }, { PGPORT: "5433" }, { PGDATABASE: "other" }]) {
    test(`another ${Object.keys(changed).join()} is refused until the data has been copied there`, () => {
        const after = { ...PLACE, ...changed };
        const refused = refusalOfMove(PLACE, after) ?? "";
        assert.match(
            refused,
            /^the server's data is in synapse at postgres:5432, and synapse:database says /,
        );
        assert.ok(refused.includes(`${after.PGDATABASE} at ${after.PGHOST}:${after.PGPORT}.`));
        assert.match(refused, /docs\/database\.md#to-another-postgresql/);
        assert.match(refused, /pulumi config set --path synapse:database\.moved true\.$/);
        assert.equal(refusalOfMove(PLACE, { ...after, MOVED: "yes" }), undefined);
    });
}

await fakeEngine();
const [guard] = databaseGuard("name").beforeUpdate ?? [];
const inputs = (kind: string | undefined) => ({
    environment: kind === undefined ? {} : { [DATABASE]: kind },
});
const change = (before: string | undefined, after: string) =>
    call(guard, { oldInputs: inputs(before), newInputs: inputs(after) });

test("a server does not leave PostgreSQL for SQLite, in preview already", async () => {
    assert.ok(guard instanceof pulumi.ResourceHook);
    assert.equal(guard.opts?.onDryRun, true);
    await assert.rejects(
        () => change("postgres", "sqlite"),
        (error) =>
            pulumi.RunError.isInstance(error) &&
            /^the server's data is in PostgreSQL, and nothing takes it from there to SQLite/.test(
                error.message,
            ),
    );
});

test("it goes the other way, and stays where it is", async () => {
    for (const [before, after] of [
        ["sqlite", "postgres"],
        ["postgres", "postgres"],
        ["sqlite", "sqlite"],
        // Deployed before there were kinds.
        [undefined, "sqlite"],
        [undefined, "postgres"],
    ] as const)
        await change(before, after);
});
