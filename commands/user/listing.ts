import { columns } from "../columns.ts";
import type { Account } from "./admin.ts";

/** A user as `list --json` shows it. */
export interface Listed {
    readonly user: string;
    readonly displayName: string | null;
    readonly admin: boolean;
    readonly state: "active" | "locked" | "deactivated";
    /** ISO 8601. */
    readonly created: string;
    /** ISO 8601; null for a user who was never seen. */
    readonly lastSeen: string | null;
}

export function listed(account: Account): Listed {
    const { name, displayname, admin, deactivated, locked, creation_ts, last_seen_ts } = account;
    return {
        user: name,
        displayName: displayname,
        admin: Boolean(admin),
        state: deactivated ? "deactivated" : locked ? "locked" : "active",
        created: new Date(creation_ts).toISOString(),
        lastSeen: last_seen_ts === null ? null : new Date(last_seen_ts).toISOString(),
    };
}

/** For people: one line each. */
export function table(users: readonly Listed[]): string {
    if (users.length === 0) return "There are no users yet. Make one: npm run user -- add alice --admin";
    const rows = users.map(({ user, admin, state, created, lastSeen }) => [
        user,
        admin ? "administrator" : "",
        state === "active" ? "" : state,
        `since ${created.slice(0, 10)}`,
        lastSeen === null ? "never seen" : `seen ${lastSeen.slice(0, 10)}`,
    ]);
    return columns(rows);
}
