import type * as pulumi from "@pulumi/pulumi";
import { withoutBrackets } from "../../hosts.ts";
import type { Stack } from "../docker/stack.ts";
import { AcmeCertificate, type AcmeSource } from "./acme.ts";
import { HostCertificate } from "./host.ts";
import { LocalCa } from "./local-ca.ts";

/** A way to get a certificate, one for each `tls.mode` that needs one. */
export type CertificateSource =
    | { readonly mode: "local-ca" }
    | AcmeSource
    | {
          readonly mode: "host";
          readonly directory: string;
          readonly certificate: string;
          readonly privateKey: string;
      };

/** What every way to get a certificate needs to know. */
export interface CertificatesArgs {
    readonly source: CertificateSource;
    readonly prefix: string;
    /** Any image with openssl; with ACME certbot's. */
    readonly image: pulumi.Input<string>;
    /** Host names and addresses that the certificate is for; the one that clients connect to is the first. */
    readonly names: readonly [string, ...string[]];
    /** `uid:gid` of the server that the certificate is for. */
    readonly owner: string;
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
    /** What gets and renews the certificate once the server runs. */
    readonly obtain?: AcmeCertificate["obtain"];
    /** What keeps the certificate of a private CA renewed. */
    readonly renew?: LocalCa["renew"];
}

/** The component for the chosen way. */
export function certificates(
    name: string,
    args: CertificatesArgs,
    opts: pulumi.ComponentResourceOptions,
): Certificates {
    const { source } = args;
    switch (source.mode) {
        case "local-ca":
            return new LocalCa(name, args, opts);
        case "acme": {
            const certificateName = withoutBrackets(args.names[0]);
            return new AcmeCertificate(name, { ...args, source, certificateName }, opts);
        }
        case "host":
            return new HostCertificate(name, { ...args, ...source }, opts);
    }
}
