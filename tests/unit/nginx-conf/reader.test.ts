import assert from "node:assert/strict";
import { test } from "node:test";
import { parseNginx } from "../../support/nginx.ts";

test("the reader of nginx.conf in these tests refuses what nginx would refuse", () => {
    for (const text of ["a", "a {", "a { b; ", "}", "a { b }", ";", 'a "b', "{ a; }"]) {
        assert.throws(() => parseNginx(text), SyntaxError, text);
    }
    assert.deepEqual(parseNginx(`a "b;{\\"" 'c'; # d;\ne f { g; }`), [
        { name: "a", args: ['b;{"', "c"] },
        { name: "e", args: ["f"], block: [{ name: "g", args: [] }] },
    ]);
});
