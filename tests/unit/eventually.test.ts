import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../support/http.ts";

test("what comes to hold is returned", async () => {
    const values = [1, 2, 3];
    const attempt = () => Promise.resolve(values.shift());
    assert.equal(await eventually(5, attempt, (seen) => seen === 2), 2);
    assert.deepEqual(values, [3]);
});

test("what never holds fails at the deadline, and shows what came last", async () => {
    const attempt = () => Promise.resolve({ status: 502, body: "x".repeat(10_000) });
    await assert.rejects(
        eventually(0.3, attempt, ({ status }) => status === 200),
        (error: Error) =>
            /not within 0\.3 s.*status: 502/s.test(error.message) && error.message.length < 2000,
    );
});

test("what never answers fails with its own error, and says so", async () => {
    await assert.rejects(
        eventually(
            0.3,
            () => Promise.reject(new Error("connection refused")),
            () => true,
        ),
        /not within 0\.3 s.*connection refused/s,
    );
});

test("an attempt that hangs does not keep the deadline from passing", { timeout: 5000 }, async () => {
    await assert.rejects(
        eventually(
            0.3,
            () => new Promise(() => undefined),
            () => true,
        ),
        /not within 0\.3 s/,
    );
});
