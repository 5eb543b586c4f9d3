import { randomInt } from "node:crypto";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
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
    const [first, second] = await askTwice(`Password of ${user}: `, "Once more: ");
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

/** Up to the first line break, or all of it. */
export async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
    stream.setEncoding("utf8");
    let text = "";
    for await (const chunk of stream) {
        text += String(chunk);
        if (text.includes("\n")) break;
    }
    return (text.split("\n")[0] ?? "").replace(/\r$/, "");
}

/** The questions go to standard error: what is piped on is the answer alone. */
async function askTwice(...questions: readonly [string, string]): Promise<[string, string]> {
    // It echoes into this, so nothing is shown.
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    const terminal = createInterface({
        input: process.stdin,
        output: nowhere,
        terminal: true,
        historySize: 0,
    });
    terminal.on("SIGINT", () => {
        terminal.close();
    });
    const lines = terminal[Symbol.asyncIterator]();
    const ask = async (question: string): Promise<string> => {
        process.stderr.write(question);
        const line = await lines.next();
        process.stderr.write("\n");
        if (line.done === true) throw new CommandError("Nothing was done.");
        return line.value;
    };
    try {
        return [await ask(questions[0]), await ask(questions[1])];
    } finally {
        terminal.close();
    }
}
