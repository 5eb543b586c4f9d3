import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Expectations } from "../../components/verification/expectations.ts";
import { run } from "../docker.ts";
import { CommandError } from "../failure.ts";
import type { Server } from "../server.ts";

/** What the last `up` asked a server, and how the docker client reached the same engine. */
export interface Questions {
    readonly expected: Expectations;
    /** `DOCKER_HOST` or `DOCKER_CONTEXT`. */
    readonly environment: Readonly<Record<string, string>>;
}

const PROJECT = join(import.meta.dirname, "../..");
const COMMAND = "::homeserver-verification-questions";
const CLIENT_VARIABLES = ["DOCKER_HOST", "DOCKER_CONTEXT"];

/** Finds what `up` asked a server: in the Pulumi CLI's state where that knows it, else in the embedded engine's record. */
export async function findQuestions(
    { stack, containerName }: Pick<Server, "stack" | "containerName">,
    project: string = PROJECT,
): Promise<Questions> {
    const sources = [() => exported(stack, project), () => Promise.resolve(recorded(stack, project))];
    for (const source of sources) {
        const environment = await source();
        if (environment === undefined) continue;
        const questions = questionsOf(environment);
        // A stack of this name can have been brought up by both; one of them is the server that was found.
        if (questions?.expected.container === containerName) return questions;
    }
    throw new CommandError(
        `It is not known what to ask the server of the stack ${stack}: there is no verification in its state.\n` +
            "Bring it up again with `npm start` or `pulumi up`, which ends with it.",
    );
}

/** The environment of the verification in what `pulumi stack export` prints; undefined without one. */
export function environmentInExport(deployment: unknown): unknown {
    const resources = at(deployment, "deployment", "resources");
    if (!Array.isArray(resources)) return undefined;
    const found: unknown = resources.find(
        (resource: unknown) => isVerification(at(resource, "urn")) && at(resource, "delete") !== true,
    );
    return at(found, "inputs", "environment");
}

/** The same in the embedded engine's record. */
export function environmentInRecord(record: unknown): unknown {
    const commands = at(record, "commands");
    const [, found] =
        Object.entries(isObject(commands) ? commands : {}).find(([urn]) => isVerification(urn)) ?? [];
    return at(found, "inputs", "environment");
}

async function exported(stack: string, project: string): Promise<unknown> {
    const asked = await run("pulumi", ["stack", "export", "--non-interactive", "--stack", stack], {
        cwd: project,
        patience: 60_000,
        environment: { PULUMI_SKIP_UPDATE_CHECK: "true" },
    }).catch(() => undefined);
    return asked?.code === 0 ? environmentInExport(parsed(asked.stdout)) : undefined;
}

function recorded(stack: string, project: string): unknown {
    try {
        return environmentInRecord(parsed(readFileSync(join(project, ".state", `${stack}.json`), "utf8")));
    } catch {
        return undefined;
    }
}

function questionsOf(environment: unknown): Questions | undefined {
    // What Pulumi has encrypted is no text.
    const text = at(environment, "EXPECTATIONS");
    const expected = typeof text === "string" ? parsed(text) : undefined;
    if (!Array.isArray(at(expected, "listeners"))) return undefined;
    const variables = CLIENT_VARIABLES.map((name) => [name, at(environment, name)] as const);
    return {
        expected: expected as Expectations,
        environment: Object.fromEntries(
            variables.filter((entry): entry is [string, string] => typeof entry[1] === "string"),
        ),
    };
}

function isVerification(urn: unknown): boolean {
    return typeof urn === "string" && urn.endsWith(COMMAND);
}

function at(value: unknown, ...path: readonly string[]): unknown {
    return path.reduce<unknown>((inner, key) => (isObject(inner) ? inner[key] : undefined), value);
}

function parsed(json: string): unknown {
    try {
        return JSON.parse(json);
    } catch {
        return undefined;
    }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
