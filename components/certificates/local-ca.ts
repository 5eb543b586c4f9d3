import { isIP } from "node:net";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../docker/stack.ts";
import { task } from "../docker/task.ts";
import { withFunctions } from "./shared.ts";

/** What {@link LocalCa} needs to know. */
export interface LocalCaArgs {
    /** Prefix of the stack's Docker objects. */
    readonly prefix: string;
    /** Any image with openssl. */
    readonly image: pulumi.Input<string>;
    /** Host names and addresses that the certificate is for. */
    readonly names: readonly string[];
    /** `uid:gid` that reads the private key. */
    readonly owner: string;
    /** Whether the CA goes when the stack goes. */
    readonly ephemeral: boolean;
    readonly stack: Stack;
}

/** A private CA on a volume of its own, and a certificate from it, for first looks and tests. */
export class LocalCa extends pulumi.ComponentResource {
    /** Volume with `current/fullchain.pem` and `current/privkey.pem`. */
    readonly certificatesVolume: pulumi.Output<string>;
    /** Certificate of the CA, PEM: what clients must trust. */
    readonly caCertificate: pulumi.Output<string>;

    constructor(name: string, args: LocalCaArgs, opts?: pulumi.ComponentResourceOptions) {
        super("synapse:index:LocalCa", name, {}, opts);

        // Apart from the certificates, so that the server that reads those never sees the CA's key.
        const ca = new docker.Volume(
            `${name}-ca`,
            { name: `${args.prefix}-ca` },
            // People have told their browsers to trust it.
            { parent: this, protect: !args.ephemeral, retainOnDelete: !args.ephemeral },
        );
        const certificates = new docker.Volume(
            `${name}-certificates`,
            { name: `${args.prefix}-ca-certificates` },
            { parent: this },
        );

        const issuance = task(
            `${name}-issuance`,
            {
                image: args.image,
                script: withFunctions("issue.sh", "lock.sh"),
                user: "0:0",
                capabilities: ["CHOWN"],
                mounts: [
                    { source: ca.name, target: "/ca", readOnly: false },
                    { source: certificates.name, target: "/certificates", readOnly: false },
                ],
                environment: { NAMES: alternativeNames(args.names), OWNER: args.owner },
            },
            args.stack,
            { parent: this },
        );

        this.certificatesVolume = certificates.name;
        this.caCertificate = issuance.stdout;
        this.registerOutputs({
            certificatesVolume: this.certificatesVolume,
            caCertificate: this.caCertificate,
        });
    }
}

/** openssl's notation: `DNS:example.org,IP:127.0.0.1`. */
export function alternativeNames(names: readonly string[]): string {
    return [...new Set(names)]
        .map((name) => name.replace(/^\[(.*)\]$/, "$1"))
        .map((name) => `${isIP(name) === 0 ? "DNS" : "IP"}:${name}`)
        .join(",");
}
