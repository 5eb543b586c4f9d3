import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { javaTrusts } from "./java.ts";
import type { Facts } from "./plan.ts";

/** Where Firefox keeps its profiles: as a package, a snap and a flatpak. */
const FIREFOX = [
    ".mozilla/firefox",
    ".config/mozilla/firefox",
    "snap/firefox/common/.mozilla/firefox",
    ".var/app/org.mozilla.firefox/.mozilla/firefox",
];

/** This machine. */
export function thisMachine(): Facts {
    const home = homedir();
    return {
        platform: process.platform,
        isRoot: process.getuid?.() === 0,
        home,
        hasProgram,
        exists: existsSync,
        javaTrusts,
        firefoxProfiles: FIREFOX.flatMap((directory) => profilesIn(join(home, directory))),
    };
}

function profilesIn(directory: string): string[] {
    if (!existsSync(directory)) return [];
    return readdirSync(directory)
        .map((name) => join(directory, name))
        .filter((profile) => existsSync(join(profile, "cert9.db")));
}

function hasProgram(name: string): boolean {
    // An ordinary user's PATH on Debian lacks where update-ca-certificates is.
    const directories = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
    return directories.some((directory) => {
        try {
            accessSync(join(directory, name), constants.X_OK);
            return true;
        } catch {
            return false;
        }
    });
}
