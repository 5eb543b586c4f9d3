import { parseArgs } from "node:util";
import { UsageError } from "../failure.ts";
import { STACK_OPTION } from "../server.ts";
import { checkNewName, type Name, parseName } from "./names.ts";

export const USAGE = `Makes and manages the users of a stack's server.

  npm run user -- add NAME [--admin] [--generate]
  npm run user -- list
  npm run user -- reset-password NAME [--generate]
  npm run user -- deactivate NAME [--erase] [--yes]

  NAME is alice or @alice:server. A password is asked for, or is the first line of standard input.

  --stack NAME  the stack; local unless given     --generate  makes a password, and prints it once
  --json        prints one JSON document          --admin     makes an administrator of the server
  --yes         deactivates without asking        --erase     has the user forgotten as far as can be
`;

/** What is to be done. */
export type Action =
    | { readonly kind: "add"; readonly name: Name; readonly admin: boolean; readonly generate: boolean }
    | { readonly kind: "list" }
    | { readonly kind: "reset-password"; readonly name: Name; readonly generate: boolean }
    | { readonly kind: "deactivate"; readonly name: Name; readonly erase: boolean; readonly yes: boolean };

export interface Parsed {
    readonly action: Action;
    readonly stack: string;
    readonly json: boolean;
}

const OPTIONS = {
    ...STACK_OPTION,
    json: { type: "boolean", default: false },
    admin: { type: "boolean", default: false },
    generate: { type: "boolean", default: false },
    erase: { type: "boolean", default: false },
    yes: { type: "boolean", default: false },
} as const;

type Flags = ReturnType<typeof parse>["values"];

/** The flags that mean something to each action. */
const FLAGS: Readonly<Record<Action["kind"], readonly (keyof Flags)[]>> = {
    add: ["admin", "generate"],
    list: [],
    "reset-password": ["generate"],
    deactivate: ["erase", "yes"],
};

/** Reads the command line, and refuses names that can be no user's. */
export function parseArguments(args: readonly string[]): Parsed {
    const { values: flags, positionals } = parse(args);
    const [kind, name, ...rest] = positionals;
    if (kind === undefined || !isKind(kind)) throw new UsageError(`${problem(kind)}\n\n${USAGE}`);
    const wanted = kind === "list" ? 0 : 1;
    if (rest.length > 0 || (name === undefined ? 0 : 1) !== wanted) {
        throw new UsageError(`${kind} takes ${wanted === 0 ? "no name" : "one name"}\n\n${USAGE}`);
    }
    for (const flag of ["admin", "generate", "erase", "yes"] as const) {
        if (flags[flag] && !FLAGS[kind].includes(flag))
            throw new UsageError(`${kind} has no --${flag}\n\n${USAGE}`);
    }
    return { action: actionOf(kind, name ?? "", flags), stack: flags.stack, json: flags.json };
}

function actionOf(kind: Action["kind"], name: string, { admin, generate, erase, yes }: Flags): Action {
    switch (kind) {
        case "add": {
            const parsed = parseName(name);
            checkNewName(parsed);
            return { kind, name: parsed, admin, generate };
        }
        case "list":
            return { kind };
        case "reset-password":
            return { kind, name: parseName(name), generate };
        case "deactivate":
            return { kind, name: parseName(name), erase, yes };
    }
}

function parse(args: readonly string[]) {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
}

function isKind(text: string): text is Action["kind"] {
    return Object.hasOwn(FLAGS, text);
}

function problem(kind: string | undefined): string {
    return kind === undefined ? "say what is to be done" : `${kind} is nothing that can be done with users`;
}
