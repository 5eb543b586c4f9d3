import assert from "node:assert/strict";

/** The items, of which there must be any: a loop over none of them asserts nothing. */
export function some<Item>(items: Iterable<Item>): Item[] {
    const all = [...items];
    assert.ok(all.length > 0, "there is nothing to look at");
    return all;
}
