import { randomInt } from "node:crypto";
import { askHidden, firstLine } from "../ask-hidden.ts";
import { CommandError } from "../failure.ts";

/** Without what is mistaken for something else when it is read out or copied by hand: 0 O o, 1 l I i. */
const ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const LENGTH = 24;

/** A password that nobody guesses: 138 bits. */
export function generatePassword(): string {
    return Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
}

/** The password of a user: asked for twice at a terminal, and elsewhere the first line of standard input. */
export async function readPassword(user: string): Promise<string> {
    if (!process.stdin.isTTY) return checked(await firstLine(process.stdin));
    const [first, second] = await askHidden([`Password of ${user}: `, "Once more: "]);
    if (first !== second) throw new CommandError("The two passwords differ; nothing was done.");
    return checked(first);
}

/** Refuses what Synapse would refuse. */
export function checked(password: string): string {
    if (password === "") {
        throw new CommandError(
            "There is no password; nothing was done. Type one, give it on standard input, or use --generate.",
        );
    }
    if (password.length > 512 || password.includes("\0")) {
        throw new CommandError(
            "A password has at most 512 characters, and no NUL among them; nothing was done.",
        );
    }
    return password;
}
