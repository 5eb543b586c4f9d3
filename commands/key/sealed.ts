import { armor, Decrypter, Encrypter } from "age-encryption";
import { z } from "zod";
import { CommandError } from "../failure.ts";

const keyFile = z.strictObject({
    /** Whose key it is: its Matrix server name. */
    serverName: z.string(),
    /** Public half of the key: `ed25519:a_AbCd <unpadded base64>`. */
    verifyKey: z.string(),
    /** Synapse's file, as it is. */
    signingKey: z.string(),
    /** Synapse's option `old_signing_keys`. */
    oldSigningKeys: z.record(z.string(), z.strictObject({ key: z.string(), expired_ts: z.number() })),
    /** The files of keys that were replaced, by the moment. */
    replacedKeys: z.record(z.string().regex(/^[\w-]+$/), z.string()),
});

/** A server's signing key, and those that it had before. */
export type KeyFile = z.output<typeof keyFile>;

/** What a container printed. Nothing of it is quoted. */
export function keyFileOf(json: string): KeyFile {
    let value: unknown;
    try {
        value = JSON.parse(json);
    } catch {
        // Below.
    }
    const { data } = keyFile.safeParse(value);
    if (data === undefined) throw new CommandError("What was read is no signing key of a server.");
    return data;
}

/** Text that only the passphrase opens: by `age -d`, too. */
export async function seal(key: KeyFile, passphrase: string): Promise<string> {
    const encrypter = new Encrypter();
    encrypter.setPassphrase(passphrase);
    return armor.encode(await encrypter.encrypt(`${JSON.stringify(key, null, 2)}\n`));
}

/** What {@link seal} has made. */
export async function open(text: string, passphrase: string): Promise<KeyFile> {
    const decrypter = new Decrypter();
    decrypter.addPassphrase(passphrase);
    let json: string;
    try {
        json = await decrypter.decrypt(armor.decode(text), "text");
    } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new CommandError(
            `The file cannot be opened: the passphrase is another one, or it is not what \`npm run key -- export\` has written (${reason}).`,
        );
    }
    return keyFileOf(json);
}
