import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { Homeserver, type Run } from "./homeserver.ts";
import { PulumiDeployment } from "./pulumi-deployment.ts";

/** Settings of a stack, by bare key. */
export type Settings = Readonly<Record<string, unknown>>;

/** Environment of the process that carries the program out. */
export type Environment = Readonly<Record<string, string>>;

/** A run of `up` that is under way. */
export interface Running {
    /** To be killed or waited for. */
    readonly process: ChildProcess;
    readonly ended: Promise<Run>;
}

/**
 * A throw-away stack of the real program under one engine or the other. What is promised of a deployment is tested
 * over this, with each of {@link engines}.
 */
export interface Deployment {
    /** Name of the stack. */
    readonly stack: string;
    /** Prefix of the stack's Docker objects, and the name of the server's container. */
    readonly name: string;
    /** Name of nginx's container. */
    readonly nginx: string;
    /** With it the commands of `commands/` find the stack. */
    readonly environment: Environment;
    /** Brings the stack up, with settings that differ from its own for this run. */
    up: (settings?: Settings, environment?: Environment) => Promise<Run>;
    /** As `up`, or fails with what was printed. */
    mustUp: (settings?: Settings, environment?: Environment) => Promise<Run>;
    /** Starts `up`, and leaves it to the caller to kill it. */
    begin: (settings?: Settings, environment?: Environment) => Promise<Running>;
    /** Brings it up by `npm run restore`, with these settings but without `restore`. */
    restore: (settings: Settings) => Promise<Run>;
    /** What a person does after a run that was killed, before the next `up`. */
    recover: () => Promise<void>;
    /** Exit code 0 says that the last `up`, done again, would change nothing. */
    again: (environment?: Environment) => Promise<Run>;
    /** What `up` would do. Only an engine that has previews has it. */
    preview?: (settings?: Settings, environment?: Environment) => Promise<Run>;
    /** The engine's state, as whoever finds it can read it. */
    record: () => Promise<string>;
    /** Loses the engine's state, and nothing else. */
    forget: () => Promise<void>;
    /** Takes the stack down, with the data of a throw-away. */
    down: () => Promise<Run>;
    /** Leaves nothing behind, whatever state the stack is in: for after the tests. */
    destroy: () => Promise<void>;
    /** The server's signing key, byte for byte. */
    signingKey: () => Promise<string>;
    /** Makes an administrator on the server. */
    registerUser: (user: string, password: string) => Promise<void>;
}

/** What carries the program out. */
export interface Engine {
    readonly name: string;
    deployment: (settings: Settings, options?: DeploymentOptions) => Deployment;
}

export interface DeploymentOptions {
    /**
     * Whether its first deployment compiles Synapse itself, as everybody's does. Others are given the files.
     *
     * @default false
     */
    readonly compiles?: boolean;
}

const EMBEDDED: Engine = {
    name: "the embedded engine",
    deployment: (settings, options) => new Homeserver(settings, options),
};
const PULUMI: Engine = {
    name: "the Pulumi CLI",
    deployment: (settings, options) => new PulumiDeployment(settings, options),
};

/**
 * The engines on this machine: always the embedded one, and the Pulumi CLI where it is on PATH. `TEST_ENGINE` chooses
 * one of them, `embedded` or `pulumi`.
 */
export function engines(): readonly Engine[] {
    const chosen = process.env.TEST_ENGINE;
    if (chosen === "embedded") return [EMBEDDED];
    if (chosen === "pulumi") return [PULUMI];
    if (chosen !== undefined) throw new Error(`TEST_ENGINE is ${chosen}: want embedded or pulumi`);
    return hasPulumi() ? [EMBEDDED, PULUMI] : [EMBEDDED];
}

function hasPulumi(): boolean {
    const directories = (process.env.PATH ?? "").split(delimiter);
    return directories.some((directory) => existsSync(join(directory, "pulumi")));
}
