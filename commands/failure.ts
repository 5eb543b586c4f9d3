/** What the person at the terminal can mend: said without a stack. */
export class CommandError extends Error {
    readonly exitCode: number = 1;
}

/** A command that was typed wrong. */
export class UsageError extends CommandError {
    override readonly exitCode = 2;
}

/** What a command is: its help, and what it does with the arguments, which gives the exit code. */
export interface Command {
    readonly usage: string;
    readonly run: (args: readonly string[]) => Promise<number>;
}

/** Carries a command out, and leaves its exit code to the process. */
export async function carryOut({ usage, run }: Command): Promise<void> {
    const args = process.argv.slice(2);
    let lost = false;
    process.stdout.on("error", (error: NodeJS.ErrnoException) => {
        // Whoever reads it has seen enough, as `head` has; what is under way is done all the same.
        if (error.code === "EPIPE" || lost) return;
        lost = true;
        process.stderr.write(`The output could not be written: ${error.message}\n`);
        process.exitCode = 1;
    });
    if (args.includes("--help")) {
        process.stdout.write(usage);
        return;
    }
    try {
        const code = await run(args);
        process.exitCode = lost ? 1 : code;
    } catch (error) {
        if (error instanceof CommandError) {
            process.stderr.write(`${error.message}\n`);
            process.exitCode = error.exitCode;
        } else if (isOfParseArgs(error)) {
            process.stderr.write(`${error.message}\n\n${usage}`);
            process.exitCode = 2;
        } else {
            throw error;
        }
    }
}

function isOfParseArgs(error: unknown): error is Error {
    return error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS_");
}
