import { CommandError, carryOut } from "../failure.ts";
import { findRunningServer, type Server } from "../server.ts";
import { askAdmin, Refused } from "./admin.ts";
import { type Action, parseArguments, USAGE } from "./arguments.ts";
import { confirm } from "./confirm.ts";
import { listed, table } from "./listing.ts";
import { userId } from "./names.ts";
import { generatePassword, readPassword } from "./password.ts";

/** What was done, for programs and for people. */
interface Outcome {
    readonly document: object;
    readonly text: string;
}

await carryOut({ usage: USAGE, run: user });

async function user(args: readonly string[]): Promise<number> {
    const { action, stack, json } = parseArguments(args);
    const server = await findRunningServer(stack);
    const { document, text } = await done(action, server).catch(advise);
    process.stdout.write(`${json ? JSON.stringify(document, null, 2) : text}\n`);
    return 0;
}

async function done(action: Action, server: Server): Promise<Outcome> {
    if (action.kind === "list") {
        const users = (await askAdmin(server, "list", {})).users.map(listed);
        return { document: { users }, text: table(users) };
    }
    // Before anything else is done, a password asked for included.
    const user = userId(action.name, (await askAdmin(server, "about", {})).server);
    const { clientUrl } = server;
    switch (action.kind) {
        case "add": {
            const { admin, generate, name } = action;
            const password = generate ? generatePassword() : await readPassword(user);
            await askAdmin(server, "add", { localpart: name.localpart, password, admin });
            return {
                document: { user, admin, clientUrl, ...(generate ? { password } : {}) },
                text: `Made ${user}${admin ? ", an administrator" : ""}. Log in at ${clientUrl}${shown(generate, password)}`,
            };
        }
        case "reset-password": {
            const { generate } = action;
            const password = generate ? generatePassword() : await readPassword(user);
            await askAdmin(server, "reset-password", { user, password });
            return {
                document: { user, clientUrl, ...(generate ? { password } : {}) },
                text: `${user} has a new password, and is logged out everywhere. Log in at ${clientUrl}${shown(generate, password)}`,
            };
        }
        case "deactivate": {
            const { erase, yes } = action;
            const what = erase ? "Deactivate and erase" : "Deactivate";
            if (!yes) await confirm(`${what} ${user}, which logs it out and takes it out of its rooms?`);
            const { already } = await askAdmin(server, "deactivate", { user, erase });
            const state = already ? "was deactivated already" : "is deactivated, and logged out everywhere";
            return {
                document: { user, erased: erase, already },
                text: `${user} ${state}.${erase ? " What it wrote is hidden from whoever joins a room later." : ""}`,
            };
        }
    }
}

function shown(generated: boolean, password: string): string {
    return generated ? `\nPassword: ${password}` : "";
}

/** What to do about what Synapse refuses. */
function advise(error: unknown): never {
    if (!(error instanceof Refused)) throw error;
    const advice = {
        M_USER_IN_USE:
            "The name is taken, if only by a deactivated user. `npm run user -- list` shows who is there; reset-password sets a new password.",
        NO_USER: "`npm run user -- list` shows who is there.",
        DEACTIVATED: "An administrator can reactivate it, by the admin API: docs/users.md says how.",
        NO_SECRET:
            "It stands in /data/homeserver.yaml, where the generation run wrote it; restore that from a backup.",
        M_UNRECOGNIZED: "Synapse leaves its accounts to another service, so they are made there.",
    }[error.code];
    const said = error.code.startsWith("M_") ? `Synapse refused it: ${error.message}` : error.message;
    throw new CommandError(`${said}.${advice === undefined ? "" : `\n${advice}`}`);
}
