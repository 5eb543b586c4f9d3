import { UsageError } from "../failure.ts";

/** A user as named on the command line. */
export interface Name {
    readonly localpart: string;
    /** Of `@alice:server`; undefined where only `alice` was given. */
    readonly server: string | undefined;
}

/** Names of the accounts that the commands make for themselves. */
const OPERATOR = /^stack-operator-/;

/** Matrix's own limit for `@alice:server`. */
const LONGEST = 255;

/** `alice` or `@alice:server`. */
export function parseName(text: string): Name {
    const [, localpart = text, server] = /^@([^:]*):(.+)$/.exec(text) ?? [];
    if (localpart === "") throw new UsageError("a user's name cannot be empty");
    if (!/^[a-z0-9._=/+-]+$/.test(localpart)) {
        throw new UsageError(
            `${JSON.stringify(text)} is no user's name: want alice or @alice:server, ` +
                "of lower case letters, digits and . _ = - / +",
        );
    }
    if (OPERATOR.test(localpart)) {
        throw new UsageError(`${localpart} is a name that these commands use themselves`);
    }
    return { localpart, server };
}

/** Refuses what Synapse would refuse as the name of a new account. */
export function checkNewName({ localpart }: Name): void {
    if (localpart.startsWith("_")) throw new UsageError(`${localpart}: a name cannot begin with _`);
    if (/^\d+$/.test(localpart)) {
        throw new UsageError(`${localpart}: a name cannot be a number, which guests have`);
    }
}

/** `@alice:server`, on the server that it is asked of. */
export function userId({ localpart, server }: Name, serverName: string): string {
    const id = `@${localpart}:${serverName}`;
    if (server !== undefined && server !== serverName) {
        throw new UsageError(
            `@${localpart}:${server} belongs to another server: this stack's users are of ${serverName}`,
        );
    }
    if (Buffer.byteLength(id) > LONGEST) {
        throw new UsageError(`${id} is longer than the ${LONGEST} characters that Matrix allows`);
    }
    return id;
}
