import { createHash } from "node:crypto";
import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { engineVersion } from "./engine-version.ts";
import { pathOf } from "./script.ts";
import type { Stack } from "./stack.ts";

/** Whether a network has IPv6, and whether an engine before 27 was started with the option `ip6tables`. */
export interface Ipv6 {
    readonly ipv6: boolean;
    readonly ip6tables: boolean;
}

/** Docker turned ip6tables on by itself with this version. */
const KEEPS_CLIENTS_APART = 27;

/**
 * The network on which the stack's containers find each other. Returns its name. With IPv6 it is another network of
 * another name: replaced under one, Pulumi would take the running server with it, before its new configuration is checked.
 */
export function stackNetwork(
    name: string,
    prefix: string,
    { ipv6, ip6tables }: Ipv6,
    stack: Stack,
    opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
    const suffix = ipv6 ? "-ipv6" : "";
    const dockerName = `${prefix}${suffix}`;
    const guard = ipv6 ? ipv6Guard(`${name}${suffix}-guard`, ip6tables, stack, opts) : undefined;
    const { beforeCreate = [] } = stack.sweep;
    const network = new docker.Network(
        `${name}${suffix}`,
        {
            name: dockerName,
            labels: [...stack.labels],
            // Without a subnet of its own, an engine before 27 makes no IPv6 network.
            ...(guard === undefined
                ? {}
                : { ipv6: true, ipamConfigs: [{ subnet: uniqueLocalSubnet(dockerName) }] }),
        },
        {
            ...opts,
            deleteBeforeReplace: true,
            hooks: { beforeCreate: [...(guard === undefined ? [] : [guard.hook]), ...beforeCreate] },
            dependsOn: guard === undefined ? [] : [guard.command],
            // The engine adds an IPv4 subnet, which the provider would take for a change at every refresh.
            ...(guard === undefined ? {} : { ignoreChanges: ["ipamConfigs"] }),
        },
    );
    return network.name;
}

/** A subnet of the addresses that are private to a site (RFC 4193), always the same for a name. */
export function uniqueLocalSubnet(name: string): string {
    const digits = createHash("sha256").update(name).digest("hex").slice(0, 14);
    return `fd${digits.slice(0, 2)}:${digits.slice(2, 6)}:${digits.slice(6, 10)}:${digits.slice(10, 14)}::/64`;
}

/** Refuses an engine that gives all IPv6 clients one address: in the preview, and before anything is touched. */
function ipv6Guard(name: string, ip6tables: boolean, stack: Stack, opts: pulumi.CustomResourceOptions) {
    // A provider in them is Docker's, which knows no commands.
    const { provider: _, ...others } = opts;
    const hook = new pulumi.ResourceHook(
        name,
        async () => {
            const version = await engineVersion(stack.environment);
            const refusal = version === undefined ? undefined : ipv6RefusalOf(version, ip6tables);
            if (refusal !== undefined) throw new pulumi.RunError(refusal);
        },
        { onDryRun: true },
    );
    const check = new command.local.Command(
        name,
        {
            create: `exec sh ${pathOf(import.meta.url, "ipv6.sh")}`,
            environment: {
                ...stack.environment,
                LEAST_VERSION: ip6tables ? "20" : String(KEEPS_CLIENTS_APART),
                REFUSAL: IPV6_REFUSAL,
            },
            addPreviousOutputInEnv: false,
            logging: "stderr",
        },
        { ...others, hooks: { beforeCreate: [hook] } },
    );
    return { hook, command: check };
}

/** Why an engine of this version gets no IPv6 network; undefined when it does. */
export function ipv6RefusalOf(version: number, ip6tables: boolean): string | undefined {
    return ip6tables || version >= KEEPS_CLIENTS_APART ? undefined : IPV6_REFUSAL;
}

const IPV6_REFUSAL =
    `synapse:ipv6 is true, and Docker before ${KEEPS_CLIENTS_APART} gives all IPv6 clients one address: a few failed ` +
    "logins of one would lock everybody out. Nothing was touched. Use a newer Docker; or start its daemon with " +
    '"experimental": true and "ip6tables": true, and set synapse:ip6tables to true.';
