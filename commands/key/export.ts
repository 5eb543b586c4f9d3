import { writeFile } from "node:fs/promises";
import { SYNAPSE_USER } from "../../components/synapse/user.ts";
import { mustDocker } from "../docker.ts";
import { CommandError } from "../failure.ts";
import { findServer } from "../server.ts";
import type { ExportArgs } from "./arguments.ts";
import { dataVolumeOf, onVolume } from "./container.ts";
import { newPassphrase } from "./passphrase.ts";
import { keyFileOf, seal } from "./sealed.ts";

/** Takes a copy of a server's key, whether it runs or not. Only what is encrypted leaves this process. */
export async function exportKey({ stack, output, passphraseFile }: ExportArgs): Promise<void> {
    const { containerName, dockerHost } = await findServer(stack);
    const format = "{{.Image}}";
    const image = await mustDocker(dockerHost, ["inspect", "--format", format, containerName]);
    const printed = await onVolume({
        dockerHost,
        image: image.trim(),
        volume: dataVolumeOf(containerName),
        readOnly: true,
        user: SYNAPSE_USER,
        program: "read-key.py",
    });
    const key = keyFileOf(printed);
    const sealed = await seal(key, await newPassphrase(passphraseFile));
    if (output === undefined) process.stdout.write(sealed);
    else await writeNew(output, sealed);
    process.stderr.write(
        `The key ${idOf(key.verifyKey)} of ${key.serverName}${output === undefined ? "" : ` is in ${output}`}. ` +
            "Keep the passphrase elsewhere; nobody can open the file without it.\n",
    );
}

async function writeNew(file: string, text: string): Promise<void> {
    try {
        await writeFile(file, text, { flag: "wx", mode: 0o600 });
    } catch (error) {
        const exists = (error as NodeJS.ErrnoException).code === "EEXIST";
        throw new CommandError(
            exists
                ? `${file} is there already; nothing was written.`
                : `Nothing was written: ${(error as Error).message}`,
        );
    }
}

/** Without the key itself: `ed25519:a_AbCd`. */
export function idOf(verifyKey: string): string {
    return verifyKey.split(" ")[0] ?? "";
}
