import { engines } from "../support/deployment.ts";
import { places } from "./backup/places.ts";

/** Where backups go, and what can go wrong there. The containers do that by themselves, whoever brought them up. */

const [engine] = engines();
if (engine !== undefined) places(engine);
