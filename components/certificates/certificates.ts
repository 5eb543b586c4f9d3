import type * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../docker/stack.ts";
import { HostCertificate } from "./host.ts";
import { LocalCa } from "./local-ca.ts";

/** A way to get a certificate, one for each `tls.mode` that needs one. */
export type CertificateSource =
    | { readonly mode: "local-ca" }
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
    /** Any image with openssl. */
    readonly image: pulumi.Input<string>;
    /** Host names and addresses that the certificate is for. */
    readonly names: readonly string[];
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
}

/** The component for the chosen way. */
export function certificates(
    name: string,
    args: CertificatesArgs,
    opts: pulumi.ComponentResourceOptions,
): Certificates {
    const { source } = args;
    return source.mode === "local-ca"
        ? new LocalCa(name, args, opts)
        : new HostCertificate(name, { ...args, ...source }, opts);
}
