import { type Aftermath, afterwards, askAgain, whileStarting } from "./afterwards.ts";
import type { Expectations, OutsideExpectations } from "./expectations.ts";

/**
 * Looks at a running server as each deployment does, whether or not it changed anything. Reads what to expect from the
 * variables EXPECTATIONS and OUTSIDE (JSON; `null`: the server is not on the internet), from PATIENCE_MS how long the
 * server may take to answer, and from START_MS how long it may take to start before that. Prints an {@link Aftermath}
 * as JSON, and never fails itself.
 */

const { EXPECTATIONS = "null", OUTSIDE = "null", PATIENCE_MS, START_MS, DOCKER_HOST } = process.env;
const expected = JSON.parse(EXPECTATIONS) as Expectations;
const outside = JSON.parse(OUTSIDE) as OutsideExpectations | null;
const { container, proxied } = expected;
await whileStarting([container, ...(proxied ? [`${container}-nginx`] : [])], Number(START_MS));
const [{ holds, failures }, others] = await Promise.all([
    askAgain(expected, DOCKER_HOST, Number(PATIENCE_MS)),
    afterwards(expected, outside, DOCKER_HOST),
]);
const found: Aftermath = { holds, failures, ...others };
// What is still under way has missed its time.
process.stdout.write(JSON.stringify(found), () => process.exit());
