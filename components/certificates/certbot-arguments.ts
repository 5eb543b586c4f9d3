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
    const { challenge, externalAccount } = source;
    return [
        "--non-interactive",
        "--agree-tos",
        "--no-eff-email",
        // The directory of its logs is in memory.
        "--max-log-backups=5",
        `--email=${source.email}`,
        `--server=${source.server}`,
        `--cert-name=${certificateName}`,
        ...new Set([certificateName, ...source.names].map((name) => `--domain=${name}`)),
        "--renew-with-new-domains",
        `--key-type=${source.keyType}`,
        ...(externalAccount === undefined ? [] : [`--config=${PATHS.secrets}/${PATHS.account}`]),
        ...(challenge.type === "http-01"
            ? ["--authenticator=webroot", `--webroot-path=${PATHS.webroot}`]
            : dnsArguments(challenge)),
    ];
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
