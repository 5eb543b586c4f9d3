import { afterwards } from "./afterwards.ts";
import type { Expectations, OutsideExpectations } from "./expectations.ts";

/**
 * Looks at a running server as each deployment does, whether or not it changed anything. Reads what to expect from the
 * variables EXPECTATIONS and OUTSIDE (JSON; `null`: the server is not on the internet), prints an {@link Aftermath} as
 * JSON, and never fails: what is wrong here only the outside can mend.
 */

const expected = JSON.parse(process.env.EXPECTATIONS ?? "null") as Expectations;
const outside = JSON.parse(process.env.OUTSIDE ?? "null") as OutsideExpectations | null;
const found = await afterwards(expected, outside, process.env.DOCKER_HOST);
// What is still under way has missed its time.
process.stdout.write(JSON.stringify(found), () => process.exit());
