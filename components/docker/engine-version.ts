import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as pulumi from "@pulumi/pulumi";

/** Docker began with this version to let nobody but the host reach what is published on 127.0.0.1 (moby#45610). */
const LOOPBACK_IS_SAFE = 28;

/** The first number of the engine's version; undefined when none answers. */
export async function engineVersion(
    environment: Readonly<Record<string, string>>,
): Promise<number | undefined> {
    const version = await promisify(execFile)("docker", ["version", "--format", "{{.Server.Version}}"], {
        env: { ...process.env, ...environment },
        timeout: 20_000,
    }).catch(() => undefined);
    const major = Number.parseInt(version?.stdout ?? "", 10);
    return Number.isNaN(major) ? undefined : major;
}

/**
 * Says in a preview who else reaches what is published on the loopback address, with an engine that lets them. A
 * preview without an engine goes on.
 */
export function loopbackWarning(
    name: string,
    environment: Readonly<Record<string, string>>,
): pulumi.ResourceHookBinding {
    const hook = new pulumi.ResourceHook(
        `${name}-loopback`,
        async () => {
            if (!pulumi.runtime.isDryRun()) return;
            const version = await engineVersion(environment);
            const warning = version === undefined ? undefined : loopbackWarningOf(version);
            if (warning !== undefined) await pulumi.log.warn(warning);
        },
        { onDryRun: true },
    );
    return { beforeCreate: [hook], beforeUpdate: [hook] };
}

export function loopbackWarningOf(version: number): string | undefined {
    if (version >= LOOPBACK_IS_SAFE) return undefined;
    return (
        `Docker ${version} lets machines on the same network segment as the host reach what is published on 127.0.0.1 ` +
        `(moby#45610): Synapse's own port, with the admin API, is not the host's alone. ` +
        `Set synapse:ports.synapse to off, or use Docker ${LOOPBACK_IS_SAFE}.`
    );
}
