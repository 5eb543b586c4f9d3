import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { readSettings } from "../../settings/read.ts";
import type { Settings } from "../../settings/settings.ts";

/** Settings as they stand in a stack's file. */
type Config = Readonly<Record<string, unknown>>;

interface Options {
    readonly stack?: string;
    readonly secret?: readonly string[];
}

/** The least that a stack must be told. */
export const LEAST = { serverName: "example.org", tls: { mode: "files" } };

/** As Pulumi hands them over: text, with anything else as JSON. */
export function asTexts(config: Config): Record<string, string> {
    const texts = Object.entries(config)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]);
    return Object.fromEntries(texts) as Record<string, string>;
}

/** The settings of a stack. */
export function read(config: Config, { stack = "dev", secret = [] }: Options = {}): Settings {
    return readSettings(stack, asTexts(config), (key) => secret.includes(key));
}

/** The message with which a configuration is refused. */
export function refusal(config: Config, options?: Options): string {
    try {
        read(config, options);
    } catch (error) {
        // Pulumi shows this kind of error by its message alone.
        assert.ok(pulumi.RunError.isInstance(error), String(error));
        return error.message;
    }
    assert.fail(`${JSON.stringify(config)} was not refused`);
}

/** What a message says of each setting: key → its lines by their titles. */
export function faultsIn(message: string): Record<string, Record<string, string>> {
    const [, ...paragraphs] = message.split(/\n {2}synapse:/);
    return Object.fromEntries(
        paragraphs.map((paragraph) => {
            const [key = "", ...lines] = paragraph.split("\n");
            const titled = lines.map((line) => /^ {4}(got|wanted|fix): +(.*)$/.exec(line)?.slice(1) ?? []);
            return [key, Object.fromEntries(titled) as Record<string, string>];
        }),
    );
}

/** A configuration is refused for one fault, and this is what its lines say. */
export function assertOneFault(
    config: Config,
    key: string,
    said: Readonly<Record<string, string | RegExp>>,
): void {
    const message = refusal(config);
    assert.match(message, /^1 setting is wrong; nothing was touched\.\n/);
    const faults = faultsIn(message);
    assert.deepEqual(Object.keys(faults), [key]);
    for (const [title, expected] of Object.entries(said)) {
        const line = faults[key]?.[title] ?? "";
        if (typeof expected === "string") assert.equal(line, expected);
        else assert.match(line, expected);
    }
}

/** Key, values that it is not to have, and what is wanted instead. */
type Refused = readonly [key: string, values: readonly unknown[], wanted: string | RegExp];

/** Tests that values of a setting are refused, and repeated, with what is wanted and the command that sets another. */
export function testRefused(...rows: readonly Refused[]): void {
    for (const [key, values, wanted] of rows) {
        for (const value of values) {
            const got = JSON.stringify(value);
            test(`${key} ${got} is refused, with what is wanted and how to set it`, () => {
                const fix = `pulumi config set ${/[.[]/.test(key) ? "--path " : ""}synapse:${key} <value>`;
                assertOneFault({ ...LEAST, ...withValue(key, value) }, key, { got, wanted, fix });
            });
        }
    }
}

/** `ports.https` → `{ ports: { https: … } }`. */
function withValue(key: string, value: unknown): Config {
    const [first = "", ...rest] = key.split(".");
    return { [first]: rest.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) };
}
