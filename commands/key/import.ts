import { readFile } from "node:fs/promises";
import { SYNAPSE_USER } from "../../components/synapse/user.ts";
import { ensureImages } from "../../images/ensure.ts";
import { CommandError } from "../failure.ts";
import type { ImportArgs } from "./arguments.ts";
import { dataVolumeOf, onVolume } from "./container.ts";
import { idOf } from "./export.ts";
import { knownPassphrase } from "./passphrase.ts";
import { type Planned, plannedServer } from "./planned.ts";
import { open } from "./sealed.ts";

/** Brings a key to the empty data volume of a server that is not there yet, and makes that if need be. */
export async function importKey({ stack, file, passphraseFile }: ImportArgs): Promise<void> {
    const planned = plannedServer(stack);
    const sealed = await readFile(file, "utf8").catch((error: Error) => {
        throw new CommandError(`The key cannot be read: ${error.message}`);
    });
    const key = await open(sealed, await knownPassphrase(passphraseFile));
    if (key.serverName !== planned.serverName) {
        throw new CommandError(
            `Nothing was done: the key is that of ${key.serverName}, and the stack ${stack} is of ${planned.serverName}. ` +
                "A server's key is for its own name alone.",
        );
    }
    const volume = dataVolumeOf(planned.prefix);
    await onVolume({
        dockerHost: planned.dockerHost,
        image: await imageOf(planned),
        volume,
        readOnly: false,
        user: "0:0",
        // It goes on as Synapse's user once the volume is that one's.
        capabilities: ["CHOWN", "SETUID", "SETGID"],
        program: "write-key.py",
        input: JSON.stringify({ ...key, owner: SYNAPSE_USER }),
    });
    process.stderr.write(
        `The key ${idOf(key.verifyKey)} of ${key.serverName} is on the volume ${volume}. ` +
            `The first \`npm start\` or \`pulumi up\` of the stack makes the server around it.\n`,
    );
}

/** On this machine's engine as `npm start` has it; any other one pulls it. */
async function imageOf({ dockerHost, image }: Planned): Promise<string> {
    if (dockerHost !== undefined) return image;
    const found = await ensureImages({ synapse: image }, (line) => process.stderr.write(`${line}\n`));
    return found.synapse ?? image;
}
