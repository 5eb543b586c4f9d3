import type * as pulumi from "@pulumi/pulumi";
import { withoutBrackets } from "../../hosts.ts";
import { AcmeCertificate } from "./acme.ts";
import { HostCertificate } from "./host.ts";
import { LocalCa } from "./local-ca.ts";
import type { CertificateArgs, CertificateSource, Certificates } from "./source.ts";

/** The component that gets a certificate from `source`. */
export function certificatesFrom(
    name: string,
    source: CertificateSource,
    args: CertificateArgs,
    opts: pulumi.ComponentResourceOptions,
): Certificates {
    switch (source.mode) {
        case "local-ca":
            return new LocalCa(name, args, opts);
        case "acme":
            return new AcmeCertificate(
                name,
                { ...args, source, certificateName: withoutBrackets(args.names[0]) },
                opts,
            );
        case "host":
            return new HostCertificate(name, { ...args, source }, opts);
    }
}
