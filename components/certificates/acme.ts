import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { script } from "../docker/script.ts";
import { task } from "../docker/task.ts";
import { dataVolume } from "../docker/volume.ts";
import { Certbot } from "./certbot.ts";
import { PATHS } from "./certbot-arguments.ts";
import { withFunctions } from "./shared.ts";
import type { AcmeSource, AcmeVolumes, CertificateArgs, Certificates, ObtainArgs } from "./source.ts";

/** What {@link AcmeCertificate} needs to know. */
export interface AcmeCertificateArgs extends CertificateArgs {
    readonly source: AcmeSource;
    /** The certificate's first name, and certbot's name for it: without brackets. */
    readonly certificateName: string;
}

/** The volumes between certbot and nginx, with a certificate that nginx can start with. */
export class AcmeCertificate extends pulumi.ComponentResource implements AcmeVolumes, Certificates {
    /** Volume with `current/fullchain.pem` and `current/privkey.pem`. */
    readonly certificatesVolume: pulumi.Output<string>;
    /** certbot's own directory: account, certificates, and what they were obtained with. */
    readonly letsencryptVolume: pulumi.Output<string>;
    /** Where certbot puts answers for the CA to fetch through nginx; with http-01 alone. */
    readonly webrootVolume: pulumi.Output<string> | undefined;
    /** Files that only certbot reads; undefined without secrets. */
    readonly secretsVolume: pulumi.Output<string> | undefined;

    readonly #args: AcmeCertificateArgs;

    constructor(name: string, args: AcmeCertificateArgs, opts?: pulumi.ComponentResourceOptions) {
        super("synapse:index:AcmeCertificate", name, {}, opts);
        this.#args = args;
        const { image, owner, prefix, source, stack } = args;

        // Made again with each stack, certificates run into the CA's rate limits.
        const letsencrypt = dataVolume(
            `${name}-letsencrypt`,
            { name: `${prefix}-letsencrypt`, ephemeral: args.ephemeral, stack: args.stack },
            { parent: this },
        );
        const certificates = new docker.Volume(
            `${name}-certificates`,
            { name: `${prefix}-acme-certificates` },
            { parent: this },
        );
        const webroot =
            source.challenge.type === "http-01"
                ? new docker.Volume(`${name}-webroot`, { name: `${prefix}-acme-webroot` }, { parent: this })
                : undefined;
        const secrets =
            source.challenge.type === "dns-01" || source.externalAccount !== undefined
                ? new docker.Volume(`${name}-secrets`, { name: `${prefix}-acme-secrets` }, { parent: this })
                : undefined;

        // Once, so that nothing else of certbot's needs to be root.
        const ownership = task(
            `${name}-ownership`,
            {
                image,
                script: script(import.meta.url, "own.sh"),
                user: "0:0",
                capabilities: ["CHOWN"],
                mounts: [letsencrypt, certificates, webroot, secrets].flatMap((volume, index) =>
                    volume === undefined
                        ? []
                        : [{ source: volume.name, target: `/volumes/${index}`, readOnly: false }],
                ),
                environment: { OWNER: owner },
            },
            stack,
            { parent: this },
        );

        task(
            `${name}-placeholder`,
            {
                image,
                script: withFunctions("placeholder.sh", "install-pair.sh"),
                user: owner,
                mounts: [
                    { source: letsencrypt.name, target: PATHS.letsencrypt },
                    { source: certificates.name, target: PATHS.certificates, readOnly: false },
                ],
                environment: { CERTIFICATE_NAME: args.certificateName },
            },
            stack,
            { parent: this, dependsOn: [ownership] },
        );

        this.certificatesVolume = certificates.name;
        this.letsencryptVolume = letsencrypt.name;
        this.webrootVolume = webroot?.name;
        this.secretsVolume = secrets?.name;
        this.registerOutputs({
            certificatesVolume: this.certificatesVolume,
            letsencryptVolume: this.letsencryptVolume,
            webrootVolume: this.webrootVolume,
            secretsVolume: this.secretsVolume,
        });
    }

    /** Gets the real certificate and keeps it renewed: through nginx, which `opts` must wait for. */
    obtain(name: string, args: ObtainArgs, opts: pulumi.ComponentResourceOptions): Certbot {
        return new Certbot(name, { ...this.#args, ...args, volumes: this }, opts);
    }
}
