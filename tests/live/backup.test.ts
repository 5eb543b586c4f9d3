import { engines } from "../support/deployment.ts";
import { thereAndBack } from "./backup/to-and-fro.ts";

/** Backups, and the way back from them. */

for (const engine of engines()) {
    for (const kind of ["postgres", "sqlite"] as const) await thereAndBack(engine, kind);
}
