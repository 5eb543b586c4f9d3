import type { UpArgs } from "../engine/stack.ts";
import { ensureImages } from "../images/ensure.ts";
import { usedImages } from "../settings/images.ts";
import { readSettings, settingsWithSecrets } from "../settings/read.ts";

/** What the engine is handed with this very program. Another project's settings are none of ours. */
export function ownProgram(
    stack: string,
    log: (line: string) => void,
): Required<Pick<UpArgs, "secretKeys" | "prepare">> {
    return {
        secretKeys: settingsWithSecrets,
        prepare: async (config, isSecret) => {
            // Faults in the settings come to light here, before an image is fetched or built for them.
            const settings = readSettings(stack, config, isSecret);
            const references = await ensureImages(usedImages(settings), log);
            return { images: { ...settings.images, ...references } };
        },
    };
}
