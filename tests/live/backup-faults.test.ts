import { engines } from "../support/deployment.ts";
import { faults } from "./backup/faults.ts";
import { places } from "./backup/places.ts";

/** What goes wrong with backups, and where they go. The containers do that by themselves, whoever brought them up. */

const [engine] = engines();
if (engine !== undefined) {
    faults(engine);
    places(engine);
}
