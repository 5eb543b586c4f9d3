import { readFile } from "node:fs/promises";
import { askHidden, firstLine } from "../ask-hidden.ts";
import { CommandError } from "../failure.ts";

/** Whoever has the file can try as many as they like, for as long as they like. */
const LEAST_LENGTH = 12;

/** A new passphrase, asked for twice at a terminal. */
export async function newPassphrase(file: string | undefined): Promise<string> {
    const passphrase = await read(file, async () => {
        const [first, second] = await askHidden(["Passphrase for the file: ", "Once more: "]);
        if (first !== second) throw new CommandError("The two passphrases differ; nothing was done.");
        return first;
    });
    if ([...passphrase].length < LEAST_LENGTH) {
        throw new CommandError(
            `A passphrase has at least ${LEAST_LENGTH} characters; nothing was done. Take one from a password manager, or five random words.`,
        );
    }
    return passphrase;
}

/** The passphrase of a file that there is. */
export function knownPassphrase(file: string | undefined): Promise<string> {
    return read(file, async () => (await askHidden(["Passphrase of the file: "]))[0]);
}

async function read(file: string | undefined, ask: () => Promise<string>): Promise<string> {
    if (file === undefined) return process.stdin.isTTY ? ask() : firstLine(process.stdin);
    try {
        const [line = ""] = (await readFile(file, "utf8")).split("\n");
        return line.replace(/\r$/, "");
    } catch (error) {
        throw new CommandError(`The passphrase cannot be read: ${(error as Error).message}`);
    }
}
