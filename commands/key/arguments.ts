import { parseArgs } from "node:util";
import { UsageError } from "../failure.ts";
import { STACK_OPTION } from "../server.ts";

export const USAGE = `Keeps the key that a stack's server signs with.

  npm run key -- export [--output FILE]
  npm run key -- import FILE
  npm run key -- rotate

  export  prints the key, encrypted with a passphrase: age -d opens it, and so does import
  import  brings it to a new server of the same name, before its first deployment
  rotate  says how the server gets another key

  --stack NAME            the stack; local unless given
  --output FILE           writes it there, where there is no file yet
  --passphrase-file FILE  its first line is the passphrase. Otherwise it is asked for, or is the first line of
                          standard input
`;

interface Common {
    readonly stack: string;
}

interface WithPassphrase extends Common {
    readonly passphraseFile: string | undefined;
}

export interface ExportArgs extends WithPassphrase {
    readonly kind: "export";
    /** Undefined: standard output. */
    readonly output: string | undefined;
}

export interface ImportArgs extends WithPassphrase {
    readonly kind: "import";
    readonly file: string;
}

export interface RotateArgs extends Common {
    readonly kind: "rotate";
}

const OPTIONS = {
    ...STACK_OPTION,
    output: { type: "string" },
    "passphrase-file": { type: "string" },
} as const;

export function parseArguments(args: readonly string[]): ExportArgs | ImportArgs | RotateArgs {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    const { stack, output, "passphrase-file": passphraseFile } = values;
    const [kind, file, ...rest] = positionals;
    const refuse = (problem: string): never => {
        throw new UsageError(`${problem}\n\n${USAGE}`);
    };
    if (kind !== "export" && kind !== "import" && kind !== "rotate") {
        return refuse(
            kind === undefined
                ? "say what is to be done"
                : `${kind} is nothing that can be done with the key`,
        );
    }
    if (rest.length > 0 || (file !== undefined && kind !== "import"))
        return refuse(`${kind} takes no more names`);
    if (output !== undefined && kind !== "export") return refuse(`${kind} has no --output`);
    switch (kind) {
        case "export":
            return { kind, stack, output, passphraseFile };
        case "import":
            return file === undefined
                ? refuse("import takes the file that export has written")
                : { kind, stack, file, passphraseFile };
        case "rotate":
            return passphraseFile === undefined ? { kind, stack } : refuse("rotate has no --passphrase-file");
    }
}
