import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { CommandError } from "./failure.ts";

/** Asks at the terminal, and shows nothing of the answers. The questions go to standard error: what is piped on is the answer alone. */
export async function askHidden<const Questions extends readonly string[]>(
    questions: Questions,
): Promise<{ [Question in keyof Questions]: string }> {
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
    const answers: string[] = [];
    try {
        for (const question of questions) {
            process.stderr.write(question);
            const line = await lines.next();
            process.stderr.write("\n");
            if (line.done === true) throw new CommandError("Nothing was done.");
            answers.push(line.value);
        }
    } finally {
        terminal.close();
    }
    return answers as { [Question in keyof Questions]: string };
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
