import type * as pulumi from "@pulumi/pulumi";

/** The deployment's id, as if it had been made before. */
const DEPLOYMENT = "0123456789abcdef";

/** What Docker would answer: a fake engine's. */
export function answers({ type, name, inputs }: pulumi.runtime.MockResourceArgs): Record<string, unknown> {
    if (name.endsWith("-deployment")) return { stdout: DEPLOYMENT };
    const given = inputs as {
        name?: string;
        environment?: { SERVER_NAME?: string };
        ports?: readonly object[];
    };
    switch (type) {
        case "docker:index/remoteImage:RemoteImage":
            return { imageId: `sha256:${given.name}` };
        case "docker:index/container:Container":
            return {
                ports: (given.ports ?? []).map((port, index) => ({ external: 32768 + index, ...port })),
            };
        case "command:local:Command":
            return { stdout: `${given.environment?.SERVER_NAME} ed25519:a_Test verify-key` };
        default:
            return {};
    }
}
