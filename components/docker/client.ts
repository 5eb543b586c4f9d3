import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { script } from "./script.ts";

const run = promisify(execFile);

export type Kind = "container" | "network" | "volume";

/** One object on the Docker host. */
export interface Standing {
    readonly kind: Kind;
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    /** When it was made. */
    readonly since: string;
    /** Of a container: `running`, `exited`, `created` and so on. */
    readonly status?: string;
}

/** What the program's hooks ask of the docker client. */
export interface DockerClient {
    /** The object of this name, if there is one. */
    readonly find: (kind: Kind, name: string) => Promise<Standing | undefined>;
    /** Everything with this label. */
    readonly labelled: (label: string) => Promise<readonly Standing[]>;
    /**
     * Removes a container politely, or a network from under its containers.
     * @throws {pulumi.RunError} if the container's server upgrades its database, and leaves it to that.
     */
    readonly remove: (kind: "container" | "network", name: string) => Promise<void>;
}

const FORMATS = {
    container:
        '{"name":{{json .Name}},"labels":{{json .Config.Labels}},"since":{{json .Created}},"status":{{json .State.Status}}}',
    network: '{"name":{{json .Name}},"labels":{{json .Labels}},"since":{{json .Created}}}',
    volume: '{"name":{{json .Name}},"labels":{{json .Labels}},"since":{{json .CreatedAt}}}',
} as const;

/** The docker client, given the environment that makes it speak to the stack's own engine. */
export function dockerClient(environment: Readonly<Record<string, string>>): DockerClient {
    const ask = async (...args: string[]): Promise<string[]> => {
        const { stdout } = await run("docker", args, { env: { ...process.env, ...environment } });
        return stdout.split("\n").filter((line) => line.trim() !== "");
    };
    const inspect = async (kind: Kind, names: readonly string[]): Promise<Standing[]> => {
        const lines = await ask(kind, "inspect", "--format", FORMATS[kind], ...names);
        return lines.map((line) => standing(kind, line));
    };
    return {
        find: async (kind, name) => {
            try {
                return (await inspect(kind, [name]))[0];
            } catch (error) {
                if (
                    /no such (?:object|container|network|volume)|(?:network|volume) \S+ not found/i.test(
                        String(error),
                    )
                )
                    return undefined;
                throw error;
            }
        },
        labelled: async (label) => {
            const filter = ["--quiet", "--filter", `label=${label}`];
            const lists = {
                container: ["container", "ls", "--all", ...filter],
                network: ["network", "ls", ...filter],
                volume: ["volume", "ls", ...filter],
            } as const;
            const found = await Promise.all(
                (["container", "network", "volume"] as const).map(async (kind) => {
                    const ids = await ask(...lists[kind]);
                    return ids.length === 0 ? [] : inspect(kind, ids);
                }),
            );
            return found.flat();
        },
        remove: async (kind, name) => {
            if (kind === "container") {
                await refuseIfAtWork(name, environment);
                // It may be a server that runs and writes: it gets the time to stop.
                await ask("container", "stop", "-t", "60", name);
                await ask("container", "rm", "--force", name);
                return;
            }
            const format = "{{range $id, $_ := .Containers}}{{$id}} {{end}}";
            const [users = ""] = await ask("network", "inspect", "--format", format, name);
            for (const user of users.split(" ").filter((id) => id !== "")) {
                await ask("network", "disconnect", "--force", name, user);
            }
            await ask("network", "rm", name);
        },
    };
}

async function refuseIfAtWork(name: string, environment: Readonly<Record<string, string>>): Promise<void> {
    const env = { ...process.env, ...environment, SERVER: name };
    try {
        await run("sh", ["-c", script(import.meta.url, "at-work.sh")], { env });
    } catch (error) {
        throw new pulumi.RunError((error as { readonly stderr: string }).stderr.trim());
    }
}

function standing(kind: Kind, line: string): Standing {
    const { name, labels, ...others } = JSON.parse(line) as Omit<Standing, "labels"> & {
        labels: Readonly<Record<string, string>> | null;
    };
    return { ...others, kind, name: name.replace(/^\//, ""), labels: labels ?? {} };
}
