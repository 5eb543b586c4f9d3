import assert from "node:assert/strict";
import { test } from "node:test";
import { afterUp, whole } from "../../../commands/outputs.ts";

const OUTPUTS = { url: "https://x", ports: { https: 443 }, ca: "one\ntwo\n" };
const NEXT = "Open https://x\n  npm run open\n";

test("after a run each output has one line, and a long one the way to see it", () => {
    const [url, ports, ca, end, ...rest] = afterUp(OUTPUTS);
    assert.deepEqual([url, ports], ["  url: https://x", '  ports: {"https":443}']);
    assert.equal(ca, "  ca: (2 lines: npm run --silent output ca)");
    assert.match(end ?? "", /^Stop it with `npm stop`/);
    assert.deepEqual(rest, []);
});

test("the program's own next steps end what is printed, as they are and under no name", () => {
    const steps = NEXT.trimEnd();
    const listed = afterUp(OUTPUTS).slice(0, -1);
    assert.deepEqual(afterUp({ nextSteps: NEXT, ...OUTPUTS }), [...listed, steps]);
    assert.deepEqual(whole({ nextSteps: NEXT, url: "https://x" }), ["url: https://x", steps]);
});

test("what is asked for is shown in full", () => {
    assert.deepEqual(whole(OUTPUTS), ["url: https://x", 'ports: {"https":443}', "ca: one\ntwo\n"]);
    assert.deepEqual(whole({ nextSteps: ["no text"] }), ['nextSteps: ["no text"]']);
});
