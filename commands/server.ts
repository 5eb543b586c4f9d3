import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type DockerHost, docker, lastLine, run } from "./docker.ts";
import { CommandError, UsageError } from "./failure.ts";

/** The server of a stack, as its last successful run left it. */
export interface Server {
    readonly stack: string;
    /** Where clients connect, without a slash at the end. */
    readonly clientUrl: string;
    /** Synapse's container; the names of the stack's others begin with it. */
    readonly containerName: string;
    /** PEM; undefined without a private CA. */
    readonly caCertificate: string | undefined;
    /** By use: `http`, `https`, `federation`, `synapse`. */
    readonly publishedPorts: Readonly<Record<string, number>>;
    /** What the internet does not do for the server. */
    readonly warnings: readonly string[];
    readonly dockerHost: DockerHost;
    /** Public half of the signing key: `ed25519:a_AbCd <unpadded base64>`. */
    readonly verifyKey: string;
    /** What brings it up. */
    readonly deployedBy: "npm start" | "pulumi up";
}

/** The option of all commands that says whose server is meant. */
export const STACK_OPTION = { stack: { type: "string", default: "local" } } as const;

const PROJECT = join(import.meta.dirname, "..");

/** Who was asked for a stack's outputs: what came back, or why nothing did. */
type Answer =
    | { readonly outputs: Readonly<Record<string, unknown>> }
    | {
          readonly why: string;
          /** It knows of no such stack, so that another's word is as good. */
          readonly unknown?: true;
      };

/** Finds the server by its stack's outputs: the Pulumi CLI's where that knows the stack, else the embedded engine's. */
export async function findServer(stack: string, project: string = PROJECT): Promise<Server> {
    checkStackName(stack);
    const fromPulumi = await pulumiOutputs(stack, project);
    if ("outputs" in fromPulumi) return serverOf(stack, "pulumi up", fromPulumi.outputs);
    const fromRecord = recordedOutputs(stack, project);
    if ("outputs" in fromRecord) {
        // Pulumi may know another server by that name, so a person should see which is meant.
        if (fromPulumi.unknown !== true)
            process.stderr.write(
                `Pulumi names no server of the stack ${stack} (${fromPulumi.why}): this is that of \`npm start\`, by .state/${stack}.json.\n`,
            );
        return serverOf(stack, "npm start", fromRecord.outputs);
    }
    throw new CommandError(
        `There is no server of the stack ${stack}:\n  npm start: ${fromRecord.why}\n` +
            `  Pulumi: ${fromPulumi.why}\n` +
            `Bring it up with \`npm start\`, which makes the stack local, or \`pulumi up\`; or name another with --stack.`,
    );
}

/** Refuses what can be no name of a stack, such as a path that leads elsewhere. */
export function checkStackName(stack: string): void {
    if (!/^\w[\w.-]*(\/\w[\w.-]*){0,2}$/.test(stack)) throw new UsageError(`${stack} is no name for a stack`);
}

/** As {@link findServer}, or fails unless Synapse's container runs. */
export async function findRunningServer(stack: string): Promise<Server> {
    const server = await findServer(stack);
    const { containerName, dockerHost } = server;
    const asked = await docker(dockerHost, ["inspect", "--format", "{{.State.Status}}", containerName], {
        patience: 30_000,
    });
    const state = asked.stdout.trim();
    if (asked.code === 0 && state === "running") return server;
    const found =
        asked.code === 0
            ? `is ${state}`
            : `was not found: ${lastLine(asked.stderr) || "Docker does not answer"}`;
    throw new CommandError(
        `The server of the stack ${stack} does not run: its container ${containerName} ${found}.\n` +
            `Start it with ${asked.code === 0 ? `\`docker start ${containerName}\`, ` : ""}\`npm start\` or \`pulumi up --refresh\`.`,
    );
}

async function pulumiOutputs(stack: string, project: string): Promise<Answer> {
    const asked = await run("pulumi", ["stack", "output", "--json", "--non-interactive", "--stack", stack], {
        cwd: project,
        patience: 60_000,
        environment: { PULUMI_SKIP_UPDATE_CHECK: "true" },
    }).catch((error: Error) => error);
    if (asked instanceof Error) return { why: "there is no Pulumi CLI on PATH", unknown: true };
    if (asked.code === null) return { why: "the Pulumi CLI did not answer within a minute" };
    if (asked.code !== 0) {
        const why = lastLine(asked.stderr);
        return asked.stderr.includes("no stack named") ? { why, unknown: true } : { why };
    }
    return withServer(parsed(asked.stdout), "the stack has had no successful `pulumi up`");
}

function recordedOutputs(stack: string, project: string): Answer {
    const file = `.state/${stack}.json`;
    let text: string;
    try {
        text = readFileSync(join(project, file), "utf8");
    } catch {
        return { why: `there is no ${file}, so it brought up no such stack here` };
    }
    const record = parsed(text);
    const outputs = isObject(record) ? record.outputs : undefined;
    return withServer(outputs, `${file} has no server: no run of it has succeeded, or it was stopped`);
}

/** A stack that is there but has nothing up has no outputs, or none that tell of a server. */
function withServer(outputs: unknown, why: string): Answer {
    return isObject(outputs) && typeof outputs.containerName === "string" ? { outputs } : { why };
}

function serverOf(
    stack: string,
    deployedBy: Server["deployedBy"],
    outputs: Readonly<Record<string, unknown>>,
): Server {
    const { clientUrl, containerName, caCertificate, publishedPorts, warnings, dockerHost, verifyKey } =
        outputs;
    const ports = Object.entries(isObject(publishedPorts) ? publishedPorts : {});
    return {
        stack,
        clientUrl: text(clientUrl) ?? "",
        containerName: text(containerName) ?? "",
        caCertificate: text(caCertificate),
        publishedPorts: Object.fromEntries(
            ports.filter((entry): entry is [string, number] => typeof entry[1] === "number"),
        ),
        warnings: Array.isArray(warnings) ? warnings.map(String) : [],
        dockerHost: text(dockerHost),
        verifyKey: text(verifyKey) ?? "",
        deployedBy,
    };
}

function parsed(json: string): unknown {
    try {
        return JSON.parse(json);
    } catch {
        return undefined;
    }
}

function text(value: unknown): string | undefined {
    return typeof value === "string" && value !== "" ? value : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
