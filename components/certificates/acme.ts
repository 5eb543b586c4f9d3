import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { script } from "../docker/script.ts";
import type { Stack } from "../docker/stack.ts";
import { task } from "../docker/task.ts";
import { dataVolume } from "../docker/volume.ts";
import { Certbot, type CertbotArgs } from "./certbot.ts";
import { PATHS } from "./certbot-arguments.ts";
import { withFunctions } from "./shared.ts";

/** Who certifies what, and how it is shown that the names are ours. */
export interface AcmeSource {
    readonly mode: "acme";
    readonly email?: string | undefined;
    /** URL of the CA's directory. */
    readonly server: string;
    /** CA that the directory's own certificate is from, PEM. */
    readonly caBundle?: string | undefined;
    /** Names beside the first. */
    readonly names: readonly string[];
    /** The CA's name of a kind of certificate. */
    readonly certificateProfile?: string | undefined;
    readonly keyType: "ecdsa" | "rsa";
    readonly challenge:
        | { readonly type: "http-01" }
        | {
              readonly type: "dns-01";
              /** certbot's DNS plugin, without `dns-`. */
              readonly plugin: string;
              /** Text of the plugin's file. Secret. */
              readonly credentials: string;
              readonly propagationSeconds?: number | undefined;
          };
    /** External account binding; `hmacKey` is secret. */
    readonly externalAccount?: { readonly keyId: string; readonly hmacKey: string } | undefined;
    /** Days before its end at which a certificate makes the container unhealthy. */
    readonly expiryWarningDays: number;
}

/** What {@link AcmeCertificate} needs to know. */
export interface AcmeCertificateArgs {
    readonly source: AcmeSource;
    /** Prefix of the stack's Docker objects. */
    readonly prefix: string;
    /** certbot's. */
    readonly image: pulumi.Input<string>;
    /** The certificate's first name, and certbot's name for it: without brackets. */
    readonly certificateName: string;
    /** `uid:gid` of the server that the certificate is for, and of certbot. */
    readonly owner: string;
    /** Whether account and certificates go when the stack goes. */
    readonly ephemeral: boolean;
    readonly stack: Stack;
}

/** The volumes between certbot and nginx, with a certificate that nginx can start with. */
export class AcmeCertificate extends pulumi.ComponentResource {
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
    obtain(
        name: string,
        args: Pick<CertbotArgs, "network" | "servedAt">,
        opts: pulumi.ComponentResourceOptions,
    ): Certbot {
        return new Certbot(name, { ...this.#args, ...args, volumes: this }, opts);
    }
}
