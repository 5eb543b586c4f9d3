import assert from "node:assert/strict";
import { test } from "node:test";
import { refusalOfNewer, refusalOfOlder } from "../../../components/postgres/upgrade.ts";

const on = (major: number, upgrade = "no") => ({ MAJOR: String(major), UPGRADE: upgrade });

test("a newer major is refused in preview until it is asked for, with the key that does it", () => {
    const refused = refusalOfNewer(on(15), on(17)) ?? "";
    assert.match(refused, /^the data is in PostgreSQL 15, and synapse:database\.version is 17\./);
    assert.match(refused, /docs\/database\.md#to-another-major/);
    assert.match(refused, /pulumi config set --path synapse:database\.upgrade true\. .* back to 15\.$/);
    assert.equal(refusalOfNewer(on(15), on(17, "yes")), undefined);
});

test("the same major is no upgrade, whatever was asked for before", () => {
    for (const [before, after] of [
        [on(17), on(17)],
        [on(17, "yes"), on(17)],
        // Before there was a major.
        [{}, on(17)],
    ] as const) {
        assert.equal(refusalOfNewer(before, after), undefined);
        assert.equal(refusalOfOlder(before, after), undefined);
    }
});

test("an older major than the one that the server was let in to is refused in preview, with upgrade too", () => {
    for (const after of [on(15), on(15, "yes")]) {
        assert.match(
            refusalOfOlder(on(17), after) ?? "",
            /^the data is in PostgreSQL 17, which no older one can read, .* is 15: .* Set it back to 17\.$/,
        );
        // Of one that the data was copied to and the server was never let in: that is seen on the Docker host.
        assert.equal(refusalOfNewer(on(17), after), undefined);
    }
    assert.equal(refusalOfOlder(on(9), on(18)), undefined);
});
