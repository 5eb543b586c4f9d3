import { readFileSync } from "node:fs";
import { docker, lastLine } from "../docker.ts";
import { CommandError } from "../failure.ts";
import type { Server } from "../server.ts";

/** What `admin.py` is asked to do, and what it answers. */
export interface Actions {
    readonly about: { readonly request: object; readonly answer: { readonly server: string } };
    readonly add: {
        readonly request: { readonly localpart: string; readonly password: string; readonly admin: boolean };
        readonly answer: { readonly user: string };
    };
    readonly list: { readonly request: object; readonly answer: { readonly users: readonly Account[] } };
    readonly "reset-password": {
        readonly request: { readonly user: string; readonly password: string };
        readonly answer: { readonly user: string };
    };
    readonly deactivate: {
        readonly request: { readonly user: string; readonly erase: boolean };
        readonly answer: { readonly user: string; readonly already: boolean };
    };
}

/** A user as Synapse lists it. Times are milliseconds. */
export interface Account {
    readonly name: string;
    readonly displayname: string | null;
    readonly admin: boolean | number;
    readonly deactivated: boolean | number;
    readonly locked: boolean | number | null;
    readonly creation_ts: number;
    readonly last_seen_ts: number | null;
}

/** What Synapse, or `admin.py` itself, said against it. */
export class Refused extends CommandError {
    readonly code: string;

    constructor(code: string, message: string) {
        super(message);
        this.code = code;
    }
}

const SCRIPT = readFileSync(new URL("admin.py", import.meta.url), "utf8");

/**
 * Asks Synapse's admin API from inside its container: the port may be published nowhere. The request goes by standard
 * input, since arguments and the environment are there for others to see.
 */
export async function askAdmin<Kind extends keyof Actions>(
    { containerName, dockerHost }: Server,
    action: Kind,
    request: Actions[Kind]["request"],
): Promise<Actions[Kind]["answer"]> {
    const { code, stdout, stderr } = await docker(
        dockerHost,
        ["exec", "--interactive", containerName, "python3", "-Bc", SCRIPT],
        { input: `${JSON.stringify({ action, ...request })}\n` },
    );
    if (code !== 0) {
        throw new CommandError(`${action} failed in the container ${containerName}: ${lastLine(stderr)}`);
    }
    // Such as that something was left for a later run.
    process.stderr.write(stderr);
    const said = JSON.parse(stdout) as
        | { readonly answer: Actions[Kind]["answer"] }
        | { readonly fault: { readonly code: string; readonly message: string } };
    if ("fault" in said) throw new Refused(said.fault.code, said.fault.message);
    return said.answer;
}
