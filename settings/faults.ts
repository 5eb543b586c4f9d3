import type { z } from "zod";
import { NEVER_SHOWN } from "./secrets.ts";

/** One thing that is wrong with the settings, in the words that a person needs to mend it. */
export interface FieldFault {
    /** Setting, without the namespace: `ports.https`. */
    readonly key: string;
    readonly got: string;
    readonly wanted: string;
    readonly fix: string;
}

/** What can be said of a key better than {@link command} does. */
export interface Hints {
    /** Every top-level setting. */
    readonly known: readonly string[];
    /** By key: how a setting that is missing is set. */
    readonly whenMissing: Readonly<Record<string, string>>;
}

/** The faults in zod's words, put into ours. */
export function faultsOf(error: z.ZodError, { known, whenMissing }: Hints): FieldFault[] {
    return error.issues.flatMap((issue): FieldFault[] => {
        if (issue.code === "unrecognized_keys") {
            return issue.keys.map((key) => unknownKey([...issue.path, key], known));
        }
        const key = keyOf(issue.path);
        const own = "params" in issue && typeof issue.params?.fix === "string" ? issue.params.fix : undefined;
        const missing = issue.input === undefined ? whenMissing[key] : undefined;
        return [
            {
                key,
                got: shown(
                    issue.input,
                    issue.path.find((part) => NEVER_SHOWN.has(part)) ?? issue.path.at(-1),
                ),
                wanted: issue.message,
                fix: own ?? missing ?? command(wantsList(issue) ? `${key}[0]` : key),
            },
        ];
    });
}

/** `pulumi config set` gives a list's entries, not the list. */
function wantsList(issue: z.core.$ZodIssue): boolean {
    return issue.code === "invalid_type" && issue.expected === "array";
}

/** The notation of `pulumi config set --path`: `listenAddresses.public[0]`. */
function keyOf(path: readonly PropertyKey[]): string {
    return path
        .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
        .join("")
        .slice(1);
}

function unknownKey(path: readonly PropertyKey[], known: readonly string[]): FieldFault {
    const key = keyOf(path);
    const isTopLevel = path.length === 1;
    const near = isTopLevel ? nearest(key, known) : undefined;
    // A setting's own name has neither, so this was to lead into one.
    const head = key.split(/[.[]/, 1)[0] ?? "";
    const lacksPath = isTopLevel && head !== key && known.includes(head);
    const remove = `pulumi config rm ${isTopLevel ? "" : "--path "}${typed(key)}`;
    return {
        key,
        // The value may be anything, so it is not repeated.
        got: "a setting that does not exist",
        wanted: near === undefined ? "a setting from docs/settings.md" : `synapse:${near}, perhaps`,
        fix: lacksPath ? `did you mean --path? ${remove} && ${command(key)}` : remove,
    };
}

function nearest(key: string, known: readonly string[]): string | undefined {
    return known.find((name) => name.toLowerCase() === key.toLowerCase().replaceAll(/[-_]/g, ""));
}

function shown(input: unknown, key: PropertyKey | undefined): string {
    if (input === undefined) return "nothing";
    const hide = (name: PropertyKey | undefined, value: unknown) =>
        NEVER_SHOWN.has(name) ? "[secret]" : value;
    // A Docker host with a password is refused, and not repeated.
    return JSON.stringify(hide(key, input), hide).replace(/\/\/[^@"]*@/g, "//[hidden]@");
}

function command(key: string): string {
    const isSecret =
        key.startsWith("secretConfig.") ||
        key.startsWith("backup.environment.") ||
        NEVER_SHOWN.has(key.split(".").at(-1));
    const secret = isSecret && key.includes(".") ? "--secret " : "";
    return `pulumi config set ${secret}${/[.[]/.test(key) ? "--path " : ""}${typed(key)} <value>`;
}

/** As a shell takes it: brackets are its own. */
function typed(key: string): string {
    return /^[\w.-]*$/.test(key) ? `synapse:${key}` : `'synapse:${key.replaceAll("'", `'\\''`)}'`;
}

/** All of them, for a person; `isSecret` tells of a top-level setting whether nothing in it may be repeated. */
export function describe(faults: readonly FieldFault[], isSecret: (key: string) => boolean): string {
    const lines = faults.map(({ key, got, wanted, fix }) => {
        const shown = isSecret(key.split(/[.[]/, 1)[0] ?? key) ? "[secret]" : got;
        return `  synapse:${key}\n    got:    ${shown}\n    wanted: ${wanted}\n    fix:    ${fix}`;
    });
    return `${countOf(faults)}; nothing was touched.\n${lines.join("\n")}`;
}

/** As {@link describe}, of settings that a program gives to a server of its own: what `pulumi config` does is no help. */
export function describeGiven(faults: readonly FieldFault[], server: string): string {
    const lines = faults.map(({ key, got, wanted }) => `  ${key}\n    got:    ${got}\n    wanted: ${wanted}`);
    return `the homeserver "${server}": ${countOf(faults)}.\n${lines.join("\n")}`;
}

function countOf({ length }: readonly FieldFault[]): string {
    return length === 1 ? "1 setting is wrong" : `${length} settings are wrong`;
}
