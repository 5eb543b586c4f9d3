/** Settings as somebody wrote them, before anything was checked or completed: any value may stand anywhere. */
export type Written = Readonly<Record<string, unknown>>;

/** What stands at a path such as `challenge.credentials`; undefined where there is nothing. */
export function writtenAt(value: unknown, path: string): unknown {
    return path.split(".").reduce((part, name) => (isRecord(part) ? part[name] : undefined), value);
}

export function isRecord(value: unknown): value is Written {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
