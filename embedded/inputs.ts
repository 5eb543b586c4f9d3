import { createHash, createHmac } from "node:crypto";

export type Values = Readonly<Record<string, unknown>>;

/** Something asked for that this engine does not do. Its message is for the person running it: no stack. */
export class Refusal extends Error {}

/** Refuses arguments that nobody here reads: dropping one silently would be worse than failing. */
export function refuseUnknown(what: string, given: Values, known: Iterable<string>): void {
    const accepted = new Set(known);
    const unknown = Object.keys(given).filter((key) => given[key] != null && !accepted.has(key));
    if (unknown.length > 0) {
        throw new Refusal(
            `${what}: the embedded engine does not know ${unknown.join(", ")}; use \`pulumi up\``,
        );
    }
}

/**
 * A digest of plain values that does not depend on the order of their keys.
 *
 * With `key` it cannot be used to try out guesses at a secret among the values.
 */
export function digest(value: unknown, key?: string): string {
    const hash = key === undefined ? createHash("sha256") : createHmac("sha256", key);
    return hash.update(canonical(value)).digest("hex").slice(0, 32);
}

function canonical(value: unknown): string {
    return JSON.stringify(value, (_key, part: unknown) =>
        isObject(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
    );
}

export function isObject(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function without(values: Values, keys: Iterable<string>): Values {
    const left = new Set(keys);
    return Object.fromEntries(Object.entries(values).filter(([key]) => !left.has(key)));
}

// How the SDK marks a secret on the wire (`specialSigKey` and `specialSecretSig` in its runtime/rpc.ts).
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

export function wrapSecret(value: unknown): Values {
    return { [SIGNATURE]: SECRET, value };
}

export function isSecret(value: unknown): value is { readonly value: unknown } {
    return isObject(value) && value[SIGNATURE] === SECRET;
}

/** A copy with every secret replaced by what `shown` makes of it. */
export function mapSecrets(value: unknown, shown: (secret: unknown) => unknown): unknown {
    if (isSecret(value)) return shown(value.value);
    if (Array.isArray(value)) return value.map((item) => mapSecrets(item, shown));
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapSecrets(item, shown)]));
}

/** What must never be printed. */
export class Secrets {
    readonly #known = new Set<string>();

    /** Remembers every string marked secret in a request, exactly where the program marked it. */
    learn(request: unknown): void {
        mapSecrets(request, (secret) => {
            for (const text of strings(secret)) this.#add(text);
            this.learn(secret);
        });
    }

    redact(text: string): string {
        let redacted = text;
        for (const secret of [...this.#known].sort((a, b) => b.length - a.length)) {
            redacted = redacted.replaceAll(secret, "[secret]");
        }
        return redacted;
    }

    #add(secret: string): void {
        const lines = secret.split("\n");
        // What is secret in `TOKEN=abc` or `password: "abc"` is the value.
        const values = lines.map((line) => /^[\s\w.-]+[=:]\s*["']?(.+?)["']?\s*$/.exec(line)?.[1] ?? "");
        // It may reach a log line by line, and inside JSON with its quotes escaped.
        for (const form of [secret, JSON.stringify(secret).slice(1, -1), ...lines, ...values]) {
            // Hiding shorter ones would only make the output unreadable, and tell what they are.
            if (form.trim().length >= 4) this.#known.add(form.trim());
        }
    }
}

function strings(value: unknown): string[] {
    if (typeof value === "string") return [value];
    if (Array.isArray(value)) return value.flatMap(strings);
    return isObject(value) ? Object.values(value).flatMap(strings) : [];
}
