import { z } from "zod";

/** Kinds of values that more than one setting has. */

export const flag = () => z.boolean({ error: "true or false" });

export const text = (pattern: RegExp, wanted: string) =>
    z.string({ error: wanted }).regex(pattern, { error: wanted });

export const wholeNumber = (wanted: string, least: number, most = Number.MAX_SAFE_INTEGER) =>
    z.int({ error: wanted }).min(least, { error: wanted }).max(most, { error: wanted });

/** `pulumi config set --path` stores digits as a number, an editor may have quoted them. */
export function unquoted(value: unknown): unknown {
    return typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
}

const ABSOLUTE = "an absolute path on the Docker host, without commas, quotes, spaces or ..";
export const absolutePath = () => path(/^\/[^,"\s]*$/, ABSOLUTE);

export const relativePath = (to: string) =>
    path(/^[^/,"\s][^,"\s]*$/, `a path relative to ${to}, without commas, quotes, spaces or ..`);

function path(pattern: RegExp, wanted: string) {
    return text(pattern, wanted).refine((path) => !path.split("/").includes(".."), { error: wanted });
}
