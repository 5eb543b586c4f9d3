import type { OutsideExpectations } from "../components/verification/expectations.ts";
import { lookOutside } from "../components/verification/outside.ts";

/**
 * Looks at what the internet does for a running server: DNS, delegation, open ports. Reads what to expect from the
 * variable EXPECTATIONS, prints a JSON list of what is wrong, and never fails: only the outside can mend it.
 */

const expected = JSON.parse(process.env.EXPECTATIONS ?? "null") as OutsideExpectations;
const warnings = await lookOutside(expected).catch((error: unknown) => [
    `It could not be looked at what the internet does for this server: ${error instanceof Error ? error.message : String(error)}`,
]);
// What is still under way has missed its time.
process.stdout.write(JSON.stringify(warnings), () => process.exit());
