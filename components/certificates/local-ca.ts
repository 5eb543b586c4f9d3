import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { type MountArgs, serviceContainer } from "../docker/container.ts";
import { script } from "../docker/script.ts";
import { task } from "../docker/task.ts";
import { dataVolume } from "../docker/volume.ts";
import { alternativeNames, nameConstraints, subjects } from "./private-ca.ts";
import { withFunctions } from "./shared.ts";
import type { CertificateArgs, Certificates } from "./source.ts";

/**
 * A private CA on a volume of its own, and a certificate from it, for first looks, tests and closed networks.
 *
 * It can certify the stack's names alone, so whoever trusts it has not trusted its key with any other site. Other
 * names need another CA, therefore, which clients must be told of.
 */
export class LocalCa extends pulumi.ComponentResource implements Certificates {
    /** Volume with `current/fullchain.pem` and `current/privkey.pem`. */
    readonly certificatesVolume: pulumi.Output<string>;
    /** Certificate of the CA, PEM: what clients must trust. */
    readonly caCertificate: pulumi.Output<string>;

    readonly #args: CertificateArgs;
    readonly #issue = withFunctions("issue.sh", "lock.sh", "install-pair.sh");
    readonly #mounts: readonly MountArgs[];
    readonly #environment: Readonly<Record<string, string>>;

    constructor(name: string, args: CertificateArgs, opts?: pulumi.ComponentResourceOptions) {
        super("synapse:index:LocalCa", name, {}, opts);
        this.#args = args;
        const [host, serverName = host] = args.names;
        const { ca: caSubject, server: subject } = subjects(host, serverName);
        this.#environment = {
            NAMES: alternativeNames(args.names),
            [CONSTRAINTS]: nameConstraints(args.names),
            CA_SUBJECT: caSubject,
            SUBJECT: subject,
            OWNER: args.owner,
        };

        // Apart from the certificates, so that the server that reads those never sees the CA's key.
        // People have told their browsers to trust it.
        const ca = dataVolume(
            `${name}-ca`,
            { name: `${args.prefix}-ca`, ephemeral: args.ephemeral, stack: args.stack },
            { parent: this },
        );
        const certificates = new docker.Volume(
            `${name}-certificates`,
            { name: `${args.prefix}-ca-certificates` },
            { parent: this },
        );
        this.#mounts = [
            { source: ca.name, target: "/ca", readOnly: false },
            { source: certificates.name, target: "/certificates", readOnly: false },
        ];

        const issuance = task(
            `${name}-issuance`,
            {
                image: args.image,
                script: this.#issue,
                user: "0:0",
                capabilities: ["CHOWN"],
                mounts: this.#mounts,
                environment: { ...this.#environment, RENEWAL: "no" },
            },
            args.stack,
            { parent: this, hooks: trustWarning(name) },
        );

        this.certificatesVolume = certificates.name;
        this.caCertificate = issuance.stdout;
        this.registerOutputs({
            certificatesVolume: this.certificatesVolume,
            caCertificate: this.caCertificate,
        });
    }

    /** Keeps the certificate renewed, in a container that reaches nothing and that nothing waits for. */
    renew(name: string, opts: pulumi.CustomResourceOptions): void {
        const { image, prefix, stack } = this.#args;
        serviceContainer(
            name,
            {
                name: `${prefix}-certificate-renewal`,
                image,
                user: "0:0",
                capabilities: ["CAP_CHOWN"],
                entrypoint: ["/bin/sh", "-c", script(import.meta.url, "reissue.sh")],
                environment: { ...this.#environment, RENEWAL: "yes", ISSUE: this.#issue },
                mounts: this.#mounts,
                tmpfs: { "/tmp": 1 },
                health: {
                    // It was tried and went well within the last two hours.
                    command: ["/bin/sh", "-c", 'test -n "$(find /tmp/renewed -mmin -120)"'],
                    interval: 5,
                    startPeriod: 5,
                    patience: 60,
                },
                memory: 64,
                stopGracePeriod: 10,
            },
            stack,
            opts,
        );
    }
}

const CONSTRAINTS = "CONSTRAINTS";

/** Says already in the preview that other names make another CA. */
function trustWarning(name: string): pulumi.ResourceHookBinding {
    const hook = new pulumi.ResourceHook(
        `${name}-trust`,
        async ({ oldInputs, newInputs }) => {
            const [before, after] = [constraintsOf(oldInputs), constraintsOf(newInputs)];
            if (before === after || after === undefined) return;
            await pulumi.log.warn(
                "the names of the server change, and a private CA certifies the names alone that it was made for: " +
                    "another one is made, and every client must be told to trust it (pulumi stack output caCertificate)",
            );
        },
        { onDryRun: true },
    );
    return { beforeUpdate: [hook] };
}

function constraintsOf(inputs: Record<string, unknown> | undefined): unknown {
    return (inputs?.environment as Record<string, unknown> | undefined)?.[CONSTRAINTS];
}
