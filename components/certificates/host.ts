import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { type MountArgs, serviceContainer } from "../docker/container.ts";
import { FileVolume } from "../docker/files.ts";
import { task } from "../docker/task.ts";
import { withFunctions } from "./shared.ts";
import type { CertificateArgs, Certificates, HostSource } from "./source.ts";

/** What {@link HostCertificate} needs to know. */
export interface HostCertificateArgs extends Omit<CertificateArgs, "ephemeral" | "names"> {
    readonly source: HostSource;
}

/**
 * A certificate that somebody else, mostly certbot, keeps and renews on the Docker host.
 *
 * certbot's keys are readable by root alone. Either the server that faces the world reads them with a root process
 * of its own, which keeps CHOWN, SETUID and SETGID for as long as it runs; or something else copies them. Here a
 * relay without network copies them for the server's own user: so whatever can be reached from outside holds no
 * capability and no key but its own.
 */
export class HostCertificate extends pulumi.ComponentResource implements Certificates {
    /** Volume with `current/fullchain.pem` and `current/privkey.pem`. */
    readonly certificatesVolume: pulumi.Output<string>;

    constructor(name: string, args: HostCertificateArgs, opts?: pulumi.ComponentResourceOptions) {
        super("synapse:index:HostCertificate", name, {}, opts);
        const { source } = args;
        const containerName = `${args.prefix}-certificate-relay`;

        // Each way to get a certificate has a volume of its own: a change from one to another must not delete the new
        // one's under the name of the old.
        const certificates = new docker.Volume(
            `${name}-certificates`,
            { name: `${args.prefix}-host-certificates` },
            { parent: this },
        );
        const scripts = new FileVolume(
            `${name}-scripts`,
            {
                prefix: `${containerName}-scripts`,
                image: args.image,
                files: [
                    {
                        name: "relay.sh",
                        content: withFunctions("relay.sh", "install-pair.sh"),
                        executable: true,
                    },
                ],
                stack: args.stack,
            },
            { parent: this },
        );

        const environment = {
            CERTIFICATE: source.certificate,
            PRIVATE_KEY: source.privateKey,
            OWNER: args.owner,
        };
        const mounts: MountArgs[] = [
            // The whole directory: certbot's live/ holds links into its archive/.
            { type: "bind", source: source.directory, target: "/source" },
            { source: certificates.name, target: "/certificates", readOnly: false },
        ];

        // Once before anything else: a certificate that is missing fails the deployment in plain words.
        const firstCopy = task(
            `${name}-copy`,
            {
                image: args.image,
                script: withFunctions("relay.sh", "install-pair.sh"),
                user: "0:0",
                capabilities: ["CHOWN", "DAC_READ_SEARCH"],
                mounts,
                environment: { ...environment, RELAY: "once" },
            },
            args.stack,
            { parent: this },
        );

        serviceContainer(
            `${name}-relay`,
            {
                name: containerName,
                image: args.image,
                user: "0:0",
                capabilities: ["CAP_CHOWN", "CAP_DAC_READ_SEARCH"],
                entrypoint: ["/bin/sh", "/scripts/relay.sh"],
                environment: { ...environment, RELAY: "watch" },
                mounts: [...mounts, { source: scripts.volumeName, target: "/scripts" }],
                tmpfs: { "/tmp": 1 },
                health: {
                    // A copy was tried and went well within the last minute.
                    command: ["/bin/sh", "-c", 'test -n "$(find /tmp/copied -mmin -1)"'],
                    interval: 3,
                    startPeriod: 20,
                    patience: 60,
                },
                memory: 64,
                stopGracePeriod: 10,
            },
            args.stack,
            { parent: this, dependsOn: [firstCopy, scripts] },
        );

        this.certificatesVolume = certificates.name;
        this.registerOutputs({ certificatesVolume: this.certificatesVolume });
    }
}
