import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import type { Ca, Call } from "./plan.ts";

export const JAVA = "Java's store";

/** Debian's hook copies the system's store into it, and is not told of what is gone from there. */
const KEYSTORE = "/etc/ssl/certs/java/cacerts";
/** It keeps no secret: this is everybody's. */
const OPENED = ["-keystore", KEYSTORE, "-storepass", "changeit"] as const;

/** What Debian's hook calls the CA. */
export function aliasOf({ name }: Ca): string {
    return `debian:${name}.pem`;
}

/** The command that takes the CA out. */
export function forgetting(ca: Ca): Call["argv"] {
    return ["keytool", "-delete", "-alias", aliasOf(ca), ...OPENED];
}

/** Whether this machine's keystore has a certificate of that name. */
export function javaTrusts(alias: string): boolean {
    if (!existsSync(KEYSTORE)) return false;
    return spawnSync("keytool", ["-list", "-alias", alias, ...OPENED], { stdio: "ignore" }).status === 0;
}
