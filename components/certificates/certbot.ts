import * as pulumi from "@pulumi/pulumi";
import { type MountArgs, serviceContainer } from "../docker/container.ts";
import { FileVolume } from "../docker/files.ts";
import { script } from "../docker/script.ts";
import { task } from "../docker/task.ts";
import { certbotArguments, certificateProfile, PATHS } from "./certbot-arguments.ts";
import { withFunctions } from "./shared.ts";
import type { AcmeSource, AcmeVolumes, CertificateArgs, ObtainArgs, ObtainedCertificate } from "./source.ts";

/** What {@link Certbot} needs to know. */
export interface CertbotArgs extends Omit<CertificateArgs, "ephemeral" | "names">, ObtainArgs {
    readonly source: AcmeSource;
    /** The certificate's first name, and certbot's name for it: without brackets. */
    readonly certificateName: string;
    readonly volumes: AcmeVolumes;
}

/**
 * Obtains the certificate, with nginx already running, and keeps it renewed.
 *
 * Everything runs as nginx's own user: what certbot writes nginx can read, and nothing needs a capability.
 */
export class Certbot extends pulumi.ComponentResource implements ObtainedCertificate {
    /** Changes whenever a deployment has obtained another certificate. */
    readonly version: pulumi.Output<string>;

    constructor(name: string, args: CertbotArgs, opts?: pulumi.ComponentResourceOptions) {
        super("synapse:index:Certbot", name, {}, opts);
        const { certificateName, image, owner, source, stack, volumes } = args;
        const { challenge, externalAccount } = source;
        const containerName = `${args.prefix}-certbot`;

        const store = (file: string, content: string, secretsVolume: pulumi.Input<string>) =>
            task(
                `${name}-${file}`,
                {
                    image,
                    script: script(import.meta.url, "store.sh"),
                    user: owner,
                    mounts: [{ source: secretsVolume, target: PATHS.secrets, readOnly: false }],
                    environment: { FILE: file },
                    // Nowhere else: arguments and variables can be seen on the Docker host.
                    stdin: pulumi.secret(content),
                },
                stack,
                { parent: this },
            );
        const { secretsVolume } = volumes;
        const secrets =
            secretsVolume === undefined
                ? []
                : [
                      ...(challenge.type === "dns-01"
                          ? [store(PATHS.credentials, challenge.credentials, secretsVolume)]
                          : []),
                      ...(externalAccount === undefined
                          ? []
                          : [store(PATHS.account, accountFile(externalAccount), secretsVolume)]),
                  ];

        const scripts = new FileVolume(
            `${name}-scripts`,
            {
                prefix: `${containerName}-scripts`,
                image,
                files: [
                    {
                        name: "obtain.sh",
                        content: withFunctions("obtain.sh", "lock.sh", "install-pair.sh"),
                        executable: true,
                    },
                    ...["renew.sh", "valid.sh"].map((file) => ({
                        name: file,
                        content: script(import.meta.url, file),
                        executable: true,
                    })),
                    ...(source.caBundle === undefined
                        ? []
                        : [{ name: "ca-bundle.pem", content: source.caBundle }]),
                ],
                stack,
            },
            { parent: this },
        );

        const environment = {
            CERTIFICATE_NAME: certificateName,
            ACME_SERVER: source.server,
            CERTIFICATE_PROFILE: certificateProfile(source, certificateName),
            CERTBOT_ARGUMENTS: certbotArguments(source, certificateName).join("\n"),
        };
        const mounts: MountArgs[] = [
            { source: volumes.letsencryptVolume, target: PATHS.letsencrypt, readOnly: false },
            { source: volumes.certificatesVolume, target: PATHS.certificates, readOnly: false },
            { source: scripts.volumeName, target: "/scripts" },
            ...(volumes.webrootVolume === undefined
                ? []
                : [{ source: volumes.webrootVolume, target: PATHS.webroot, readOnly: false }]),
            ...(secretsVolume === undefined ? [] : [{ source: secretsVolume, target: PATHS.secrets }]),
        ];
        // certbot's log would quote what a DNS plugin sends, so it is kept nowhere.
        const tmpfs = { "/var/log/letsencrypt": 16, "/var/lib/letsencrypt": 16 };

        const issuance = task(
            `${name}-issuance`,
            {
                image,
                script: `sh /scripts/obtain.sh\n${script(import.meta.url, "served.sh")}`,
                user: owner,
                network: args.network,
                mounts,
                tmpfs,
                environment: { ...environment, SERVED_AT: args.servedAt },
            },
            stack,
            { parent: this, dependsOn: [scripts, ...secrets] },
        );

        serviceContainer(
            `${name}-container`,
            {
                name: containerName,
                image,
                user: owner,
                entrypoint: ["/bin/sh", "/scripts/renew.sh"],
                environment: { ...environment, WARNING_DAYS: String(source.expiryWarningDays) },
                mounts,
                tmpfs: { "/tmp": 16, ...tmpfs },
                network: { name: args.network, aliases: ["certbot"] },
                health: {
                    command: ["/bin/sh", "/scripts/valid.sh"],
                    interval: 5,
                    startPeriod: 5,
                    patience: 60,
                },
                memory: 256,
                stopGracePeriod: 30,
            },
            stack,
            { parent: this, dependsOn: [issuance] },
        );

        this.version = issuance.stdout;
        this.registerOutputs({ version: this.version });
    }
}

/** A configuration file of certbot's, because a key on its command line could be seen on the Docker host. */
function accountFile({ keyId, hmacKey }: NonNullable<AcmeSource["externalAccount"]>): string {
    return `eab-kid = ${keyId}\neab-hmac-key = ${hmacKey}\n`;
}
