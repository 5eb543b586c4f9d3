import type { Expectations } from "./expectations.ts";
import { placeOf } from "./place.ts";
import { verify } from "./verify.ts";

/**
 * Asks a running server from outside whether it works. Reads what to expect from the variable EXPECTATIONS, prints
 * a line for each thing that holds, and exits with 1 and the reasons when something does not within 30 seconds.
 */

const expected = JSON.parse(process.env.EXPECTATIONS ?? "null") as Expectations;
const { holds, notes, failures } = await verify(expected, await placeOf(process.env.DOCKER_HOST));

for (const line of holds) console.log(line);
// On the stream that the deployment shows.
for (const note of notes) console.error(note);
for (const failure of failures) console.error(`The server is up, but ${failure}`);
if (failures.length > 0) {
    const containers = [expected.container, ...(expected.proxied ? [`${expected.container}-nginx`] : [])];
    console.error(`See: ${containers.map((name) => `docker logs ${name}`).join("; ")}`);
    process.exitCode = 1;
}
