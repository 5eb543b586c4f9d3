import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../components/verification/asking.ts";
import { asText } from "../../components/verification/warnings.ts";

const HOSTILE = "\u001b]0;title\u0007\u001b[2J\r\u009b1mtext";

test("what another's server answers steers no terminal", () => {
    const warning = { subject: HOSTILE, asked: HOSTILE, got: HOSTILE, wanted: HOSTILE, fix: HOSTILE };
    for (const text of [new Failure(HOSTILE).message, asText(warning)]) {
        assert.doesNotMatch(text, /(?!\n)\p{Cc}/u);
        assert.match(text, /1mtext/);
    }
    assert.equal(asText(warning).split("\n").length, 5, "lines stay lines");
});
