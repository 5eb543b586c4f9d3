import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";

const run = promisify(execFile);

/** The label that says which stack a Docker object belongs to. */
const STACK_LABEL = "synapse-docker.stack";

/** What everything that this stack makes on the Docker host has in common. */
export interface Stack {
    /** For a container's or network's `labels`. */
    readonly labels: readonly { readonly label: string; readonly value: string }[];
    /** For a container's or network's `hooks`: removes what an interrupted update left under the same name. */
    readonly sweep: pulumi.ResourceHookBinding;
    readonly provider: docker.Provider;
    /** Environment that makes the docker client speak to the same engine as the provider. */
    readonly environment: Readonly<Record<string, string>>;
}

/** The stack on a Docker engine: `DOCKER_HOST` or the local one when `dockerHost` is undefined. */
export function stackOn(dockerHost: string | undefined): Stack {
    const id = `${pulumi.getProject()}/${pulumi.getStack()}`;
    const environment = clientEnvironment(dockerHost);
    return {
        labels: [{ label: STACK_LABEL, value: id }],
        sweep: { beforeCreate: [new pulumi.ResourceHook("sweep", sweeper(id, environment))] },
        provider: new docker.Provider("docker", dockerHost === undefined ? {} : { host: dockerHost }),
        environment,
    };
}

/** A context chosen with `docker context use` is none of the provider's business, so it must not be the client's. */
function clientEnvironment(dockerHost: string | undefined): Readonly<Record<string, string>> {
    return dockerHost === undefined ? { DOCKER_CONTEXT: "default" } : { DOCKER_HOST: dockerHost };
}

/**
 * Killed while it makes a container, `pulumi up` leaves one that its state does not know, and each later `up`
 * would fail on the name. Whatever carries this stack's label under a name that is about to be made is such a
 * leftover: a container that the state knows has been deleted before its replacement is made.
 */
function sweeper(id: string, environment: Readonly<Record<string, string>>): pulumi.ResourceHookFunction {
    return async ({ type, newInputs }) => {
        const name: unknown = newInputs?.name;
        if (typeof name !== "string") return;
        const kind = type === "docker:index/network:Network" ? "network" : "container";
        const client = (...args: string[]) =>
            run("docker", args, { env: { ...process.env, ...environment } });
        const labels = kind === "container" ? ".Config.Labels" : ".Labels";
        const label = await client(
            kind,
            "inspect",
            "--format",
            `{{index ${labels} "${STACK_LABEL}"}}`,
            name,
        ).then(
            ({ stdout }) => stdout.trim(),
            // Not there, which is how it should be; an engine that does not answer fails the creation itself.
            () => undefined,
        );
        if (label !== id) return;
        if (kind === "container") {
            // It may be a server that runs and writes: it gets the time to stop.
            await client("container", "stop", "-t", "60", name);
            await client("container", "rm", "--force", name);
        } else {
            // A state that was lost leaves containers on it, too; each is swept when its own turn comes.
            const { stdout } = await client(
                "network",
                "inspect",
                "--format",
                "{{range $id, $_ := .Containers}}{{$id}} {{end}}",
                name,
            );
            for (const container of stdout.split(" ").filter((id) => id.trim() !== "")) {
                await client("network", "disconnect", "--force", name, container);
            }
            await client("network", "rm", name);
        }
    };
}
