import { createInterface } from "node:readline/promises";
import { CommandError } from "../failure.ts";

/** Where a person may be asked. */
export interface Terminal {
    readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
    /** Not standard output: what is piped on is the answer alone. */
    readonly output: NodeJS.WritableStream;
}

/** Comes back only with a yes; where nobody can be asked, at once. */
export async function confirm(
    question: string,
    { input, output }: Terminal = { input: process.stdin, output: process.stderr },
): Promise<void> {
    if (input.isTTY !== true) return;
    const terminal = createInterface({ input, output });
    // Ctrl-C and Ctrl-D close it, and a question that is open then is never answered.
    const closed = new Promise<string>((resolve) => terminal.once("close", () => resolve("")));
    try {
        const answer = await Promise.race([terminal.question(`${question} [y/N] `), closed]);
        if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError("Nothing was done.");
    } finally {
        terminal.close();
    }
}
