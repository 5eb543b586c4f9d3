import { isAddress, withoutBrackets } from "../../hosts.ts";
import type { AcmeSource } from "./acme.ts";

/** Directories and files in certbot's containers. */
export const PATHS = {
    letsencrypt: "/etc/letsencrypt",
    certificates: "/certificates",
    webroot: "/webroot",
    secrets: "/secrets",
    /** The DNS plugin's. */
    credentials: "credentials.ini",
    /** certbot's own, with the external account's key. */
    account: "account.ini",
} as const;

/** What `certbot certonly` is told, without what depends on the certificate that there is. Nothing secret. */
export function certbotArguments(source: AcmeSource, certificateName: string): string[] {
    const { challenge, email, externalAccount } = source;
    const names = new Set([certificateName, ...source.names].map(withoutBrackets));
    return [
        "--non-interactive",
        "--agree-tos",
        "--no-eff-email",
        // The directory of its logs is in memory.
        "--max-log-backups=5",
        email === undefined ? "--register-unsafely-without-email" : `--email=${email}`,
        `--server=${source.server}`,
        `--cert-name=${certificateName}`,
        ...[...names].map((name) => `${isAddress(name) ? "--ip-address" : "--domain"}=${name}`),
        ...profileArguments(source, names),
        "--renew-with-new-domains",
        `--key-type=${source.keyType}`,
        ...(externalAccount === undefined ? [] : [`--config=${PATHS.secrets}/${PATHS.account}`]),
        ...(challenge.type === "http-01"
            ? ["--authenticator=webroot", `--webroot-path=${PATHS.webroot}`]
            : dnsArguments(challenge)),
    ];
}

/** The profile that the certificate is asked for in; empty for the CA's own choice. */
export function certificateProfile(
    { certificateProfile: chosen, names }: Pick<AcmeSource, "certificateProfile" | "names">,
    certificateName: string,
): string {
    const addressed = [certificateName, ...names].some(isAddress);
    return chosen ?? (addressed ? "shortlived" : "");
}

function profileArguments(source: AcmeSource, names: ReadonlySet<string>): string[] {
    const profile = certificateProfile({ ...source, names: [...names] }, "");
    if (profile === "") return [];
    // What was not asked for is only preferred: another CA may certify addresses without having profiles.
    return [`--${source.certificateProfile === undefined ? "preferred" : "required"}-profile=${profile}`];
}

function dnsArguments({
    plugin,
    propagationSeconds,
}: Extract<AcmeSource["challenge"], { type: "dns-01" }>): string[] {
    const option = `--dns-${plugin}`;
    return [
        `--authenticator=dns-${plugin}`,
        // Amazon's library reads its own file, by its own variable.
        ...(plugin === "route53" ? [] : [`${option}-credentials=${PATHS.secrets}/${PATHS.credentials}`]),
        ...(propagationSeconds === undefined ? [] : [`${option}-propagation-seconds=${propagationSeconds}`]),
    ];
}
