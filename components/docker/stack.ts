import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { dockerClient } from "./client.ts";
import { gate, LABELS, type Ownership, sweeper } from "./ownership.ts";
import { pathOf } from "./script.ts";

/** What everything that this stack makes on the Docker host has in common. */
export interface Stack {
    /** For the `labels` of a container, a network, or a volume with data. */
    readonly labels: readonly { readonly label: string; readonly value: pulumi.Input<string> }[];
    /** For their `hooks`: removes what an interrupted update left under the same name, and spares what others made. */
    readonly sweep: pulumi.ResourceHookBinding;
    readonly provider: docker.Provider;
    /** Environment that makes the docker client speak to the same engine as the provider. */
    readonly environment: Readonly<Record<string, string>>;
}

/** What {@link stackOn} needs to know. */
export interface StackArgs {
    /** @default `DOCKER_HOST` or the local engine */
    readonly dockerHost?: string | undefined;
    /** Prefix of the stack's Docker objects. */
    readonly prefix: string;
    /** Ids of other deployments whose objects this one may take over. */
    readonly takeOver: readonly string[];
    /** Whether nothing of the stack outlives it. */
    readonly ephemeral: boolean;
}

/** A failure quotes the command, so its text stands in a file. */
const MAKE_ID = `exec sh ${pathOf(import.meta.url, "deployment.sh")}`;

/** One server's place on a Docker engine; the names of what it registers begin with `name`. */
export function stackOn(
    name: string,
    { dockerHost, prefix, takeOver, ephemeral }: StackArgs,
    opts: pulumi.CustomResourceOptions,
): Stack {
    const id = `${pulumi.getProject()}/${pulumi.getStack()}`;
    const environment = clientEnvironment(dockerHost);
    const ownership: Ownership = { stack: id, prefix, takeOver, client: dockerClient(environment) };

    // Recorded before anything else is made, as everything else needs the provider and the provider waits for this:
    // so whatever an interrupted update leaves carries an id that the state knows.
    const deployment = new command.local.Command(
        `${name}-deployment`,
        { create: MAKE_ID, update: MAKE_ID, addPreviousOutputInEnv: true, logging: "stderr" },
        {
            ...opts,
            // Volumes that outlive the stack carry it.
            protect: !ephemeral,
            hooks: {
                beforeCreate: [new pulumi.ResourceHook(`${name}-gate`, gate(ownership), { onDryRun: true })],
            },
        },
    );
    return {
        labels: [
            { label: LABELS.stack, value: id },
            { label: LABELS.prefix, value: prefix },
            { label: LABELS.deployment, value: deployment.stdout.apply((printed) => printed.trim()) },
        ],
        sweep: {
            beforeCreate: [new pulumi.ResourceHook(`${name}-sweep`, sweeper(ownership), { onDryRun: true })],
        },
        provider: new docker.Provider(
            `${name}-docker`,
            dockerHost === undefined ? {} : { host: dockerHost },
            {
                ...opts,
                dependsOn: [deployment],
            },
        ),
        environment,
    };
}

/** A context chosen with `docker context use` is none of the provider's business, so it must not be the client's. */
function clientEnvironment(dockerHost: string | undefined): Readonly<Record<string, string>> {
    return dockerHost === undefined ? { DOCKER_CONTEXT: "default" } : { DOCKER_HOST: dockerHost };
}
