import { engines } from "../support/deployment.ts";
import { thereAndBack } from "./backup/to-and-fro.ts";

/** Backups, and the way back from them. */

for (const engine of engines()) {
    // How an engine carries it out does not hang on the database.
    const kinds =
        engine.name === "the Pulumi CLI" ? (["postgres"] as const) : (["postgres", "sqlite"] as const);
    for (const kind of kinds) await thereAndBack(engine, kind);
}
