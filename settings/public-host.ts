import { z } from "zod";
import { isHost } from "../hosts.ts";
import type { Given } from "./schema.ts";
import { publicUrlParts } from "./tls/proxy.ts";

export const publicHost = z
    .string({ error: "a host name, e.g. matrix.example.org" })
    .refine(isHost, { error: "a host name, in lower case and without a port, e.g. matrix.example.org" })
    .optional()
    .describe(
        "Host name that clients and other servers connect to. `serverName` when left out; in mode `proxy` that of `tls.publicUrl`.",
    );

export function completePublicHost({ publicHost, serverName, tls }: Given): string {
    const behind = tls.mode === "proxy" ? publicUrlParts(tls.publicUrl) : undefined;
    return behind?.host ?? publicHost ?? serverName;
}

/** The host that the settings name themselves, outside of `tls`, and the setting that does. */
export function namedHost({ publicHost, serverName }: Pick<Given, "publicHost" | "serverName">): {
    readonly key: "publicHost" | "serverName";
    readonly host: string;
} {
    return publicHost === undefined
        ? { key: "serverName", host: serverName }
        : { key: "publicHost", host: publicHost };
}
