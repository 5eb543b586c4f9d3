import { absolutePath, relativePath, text } from "../kinds.ts";

export const certificates = () => text(/-----BEGIN CERTIFICATE-----/, "certificates in PEM");

/** Where a certificate stands that somebody else keeps on the Docker host. The defaults are certbot's own layout. */
export const certificateFiles = () => ({
    directory: absolutePath()
        .default("/etc/letsencrypt")
        .describe("Directory on the Docker host that holds the certificates; mounted read-only."),
    certificate: relativePath("tls.directory")
        .optional()
        .describe("Certificate chain below `directory`; `live/<publicHost>/fullchain.pem` when left out."),
    privateKey: relativePath("tls.directory")
        .optional()
        .describe("Private key below `directory`; `live/<publicHost>/privkey.pem` when left out."),
    caBundle: certificates()
        .optional()
        .describe(
            "CA of a certificate that the world does not trust, PEM: when the running server is asked whether it works, it is trusted, too.",
        ),
});
