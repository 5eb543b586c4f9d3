import type * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../docker/stack.ts";

/** What a certificate is for this program: where it comes from, whose it is, and which volumes hold it. */

/** A way to get a certificate. */
export type CertificateSource = LocalSource | AcmeSource | HostSource;

/** A private CA that the stack makes for itself. */
export interface LocalSource {
    readonly mode: "local-ca";
}

/** Files that somebody else keeps on the Docker host. */
export interface HostSource {
    readonly mode: "host";
    /** Directory on the Docker host. */
    readonly directory: string;
    /** Path of the certificate chain below `directory`. */
    readonly certificate: string;
    /** Path of the private key below `directory`. */
    readonly privateKey: string;
}

/** A CA that speaks ACME: who certifies what, and how it is shown that the names are ours. */
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

/** What every way to get a certificate needs to know. */
export interface CertificateArgs {
    /** Prefix of the server's Docker objects. */
    readonly prefix: string;
    /** Any image with openssl; with ACME certbot's. */
    readonly image: pulumi.Input<string>;
    /** Host names and addresses that the certificate is for; the one that clients connect to is the first. */
    readonly names: readonly [string, ...string[]];
    /** `uid:gid` of the server that the certificate is for. */
    readonly owner: string;
    /** Whether what was kept for the certificate goes when the stack goes. */
    readonly ephemeral: boolean;
    readonly stack: Stack;
}

/** A component that keeps a volume with `current/fullchain.pem` and `current/privkey.pem`. */
export interface Certificates extends pulumi.ComponentResource {
    readonly certificatesVolume: pulumi.Output<string>;
    /** PEM; of a private CA alone. */
    readonly caCertificate?: pulumi.Output<string>;
    /** Volume with answers to a CA's challenges, to be served on port 80. */
    readonly webrootVolume?: pulumi.Output<string> | undefined;
    /** Gets the certificate once the server runs; there with ACME alone. */
    readonly obtain?: (
        name: string,
        args: ObtainArgs,
        opts: pulumi.ComponentResourceOptions,
    ) => ObtainedCertificate;
    /** Keeps the certificate of a private CA renewed. */
    readonly renew?: (name: string, opts: pulumi.CustomResourceOptions) => void;
}

/** Where a CA's questions are answered, and where the certificate is then served. */
export interface ObtainArgs {
    /** Docker network, by which the CA and the DNS are reached. */
    readonly network: pulumi.Input<string>;
    /** Where on the network the certificate is served: `host:port`. */
    readonly servedAt: string;
}

/** What waits for a certificate that was obtained. */
export interface ObtainedCertificate extends pulumi.ComponentResource {
    /** Changes whenever a deployment has obtained another certificate. */
    readonly version: pulumi.Output<string>;
}

/** The volumes between certbot and nginx. */
export interface AcmeVolumes {
    /** Volume with `current/fullchain.pem` and `current/privkey.pem`. */
    readonly certificatesVolume: pulumi.Output<string>;
    /** certbot's own directory: account, certificates, and what they were obtained with. */
    readonly letsencryptVolume: pulumi.Output<string>;
    /** Where certbot puts answers for the CA to fetch through nginx; with http-01 alone. */
    readonly webrootVolume: pulumi.Output<string> | undefined;
    /** Files that only certbot reads; undefined without secrets. */
    readonly secretsVolume: pulumi.Output<string> | undefined;
}
