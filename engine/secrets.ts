import { isObject, type Values } from "./inputs.ts";

// How the SDK marks a secret on the wire (`specialSigKey` and `specialSecretSig` in its runtime/rpc.ts).
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

export function wrapSecret(value: unknown): Values {
    return { [SIGNATURE]: SECRET, value };
}

export function isSecret(value: unknown): value is { readonly value: unknown } {
    return isObject(value) && value[SIGNATURE] === SECRET;
}

/** Top-level inputs that hold a secret. */
export function secretKeys(inputs: Values): string[] {
    return Object.keys(inputs).filter((key) => isSecret(inputs[key]));
}

/** Marks outputs as the SDK does. */
export function markSecrets(outputs: Values, secret: ReadonlySet<string>): Values {
    return Object.fromEntries(
        Object.entries(outputs).map(([key, value]) => [key, secret.has(key) ? wrapSecret(value) : value]),
    );
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
