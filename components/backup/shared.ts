import type * as pulumi from "@pulumi/pulumi";
import { script } from "../docker/script.ts";
import type { Stack } from "../docker/stack.ts";

/** What each part of backups needs to know. */
export interface BackupPartArgs {
    /** Prefix of the stack's Docker objects, and the host that restic's snapshots are of. */
    readonly prefix: string;
    /** restic's. */
    readonly image: pulumi.Input<string>;
    /** Synapse's, for what needs more than busybox. */
    readonly synapseImage: pulumi.Input<string>;
    /** `uid:gid` of who owns the data. */
    readonly owner: string;
    readonly stack: Stack;
}

/** The text of a script of this directory that uses functions of others: theirs before it. */
export function withFunctions(file: string, ...before: readonly string[]): string {
    return [...before, file].map((name) => script(import.meta.url, name)).join("\n");
}
