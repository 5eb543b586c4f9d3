import { homeserverOptions } from "./homeserver-options.ts";

/** Options that nobody may see. */
export const secretConfig = homeserverOptions
    .default({})
    .describe(
        "Options of homeserver.yaml that are secret, merged deeply over `extraConfig`. Set them with `--secret`.",
    );
