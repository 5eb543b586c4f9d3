import { Pebble } from "./pebble.ts";

/**
 * An ACME server until it is ended: `serve-pebble.ts HTTP_PORT`. Prints what a stack in the mode `acme` that answers
 * challenges on that port is to trust, as the setting `synapse:tls` in JSON.
 */

const [httpPort] = process.argv.slice(2);
if (httpPort === undefined) throw new Error("which port do challenges come to? serve-pebble.ts HTTP_PORT");
const pebble = await Pebble.start({ httpPort: Number(httpPort) });
for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => void pebble.stop().finally(() => process.exit()));
}
console.log(
    JSON.stringify({
        mode: "acme",
        email: "admin@example.org",
        server: pebble.directory,
        // The CA of the directory, and the root of what it issues.
        caBundle: pebble.caBundle + (await pebble.root()),
    }),
);
