import { z } from "zod";
import { isAddress, isCertificateName } from "../../hosts.ts";
import type { FieldFault } from "../faults.ts";
import { text, wholeNumber } from "../kinds.ts";
import { namedHost } from "../public-host.ts";
import type { Given } from "../schema.ts";
import { certificates } from "./certificate-files.ts";
import { challenge } from "./challenge.ts";
import { nginxTls } from "./nginx.ts";

/** Let's Encrypt's own ACME directories, by their names in the settings. */
export const DIRECTORIES = {
    production: "https://acme-v02.api.letsencrypt.org/directory",
    staging: "https://acme-staging-v02.api.letsencrypt.org/directory",
} as const;

const SERVER = "production, staging or the https URL of an ACME directory";
const server = z
    .string({ error: SERVER })
    .transform((server) => (server === "production" || server === "staging" ? DIRECTORIES[server] : server))
    .refine((server) => /^https:\/\/[^\s@]+$/.test(server) && URL.canParse(server), { error: SERVER })
    .prefault("production")
    .describe("`production` or `staging` of Let's Encrypt, or another CA's directory URL.");

const NAME =
    "a DNS name in lower case with at least one dot, e.g. chat.example.org, or an address, IPv6 in brackets";
const certificateName = z
    .string({ error: NAME })
    .refine((name) => isCertificateName(name.replace(/^\*\.(?=.*[a-z])/, "")), { error: NAME });

const externalAccount = z
    .strictObject({
        keyId: text(/^\S+$/, "the key id that the CA gave you").describe("Key id."),
        hmacKey: text(/^[A-Za-z0-9_-]+=*$/, "the MAC key that the CA gave you, in base64url").describe(
            "MAC key in base64url. Secret: set it with `--secret`.",
        ),
    })
    .optional()
    .describe("External account binding, for CAs that ask for it.");

export const acme = z
    .strictObject({
        mode: z.literal("acme"),
        email: text(/^[^\s@,"'<>]+@[^\s@,"'<>]+\.[^\s@,"'<>]+$/, "an e-mail address")
            .optional()
            .describe(
                "Where the CA sends what it has to say about the account. Let's Encrypt keeps and sends nothing any more; some other CAs ask for it.",
            ),
        server,
        caBundle: certificates()
            .optional()
            .describe(
                "CAs of an ACME server that the world does not trust, PEM: the one that its own certificate is from, and the root that it issues from.",
            ),
        names: z
            .array(certificateName, { error: "a list of DNS names and addresses" })
            .default([])
            .describe("Further names in the certificate beside `publicHost`."),
        certificateProfile: text(
            /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
            "the name of one of the CA's certificate profiles, e.g. tlsserver",
        )
            .optional()
            .describe(
                "Kind of certificate, by the CA's name for it: Let's Encrypt has `classic`, `tlsserver` and `shortlived`. The CA's default when left out; with an address among the names `shortlived`, which Let's Encrypt insists on.",
            ),
        keyType: z.enum(["ecdsa", "rsa"]).default("ecdsa").describe("Kind of the certificate's key."),
        challenge,
        externalAccount,
        expiryWarningDays: wholeNumber("a whole number of days from 1 to 60", 1, 60)
            .default(21)
            .describe(
                "Days before its end at which a certificate that was not renewed makes certbot's container unhealthy; with less than a quarter of its lifetime left in any case.",
            ),
        ...nginxTls(),
    })
    .superRefine(({ names, challenge: { type } }, context) => {
        for (const [index, name] of names.entries()) {
            const message = unproven(name, type);
            if (message === undefined) continue;
            context.addIssue({ code: "custom", path: ["names", index], message, input: name });
        }
    })
    .describe("nginx with a certificate that the stack obtains and renews by ACME.");

/** What is wanted instead, where a kind of challenge cannot show whose a name is. */
function unproven(name: string, challenge: "http-01" | "dns-01"): string | undefined {
    if (challenge === "http-01" && name.startsWith("*."))
        return "a name without *, or tls.challenge.type dns-01: CAs give wildcards for nothing else";
    if (challenge === "dns-01" && isAddress(name))
        return "a DNS name, or tls.challenge.type http-01: no record in the DNS shows whose an address is";
    return undefined;
}

/** A name that comes from another setting: the schema of `tls` has not seen it. */
export function acmeFaults(given: Given): FieldFault[] {
    const { ephemeral, ports, tls } = given;
    if (tls.mode !== "acme") return [];
    if (tls.challenge.type === "http-01" && ephemeral && ports.http === undefined) {
        return [
            {
                key: "ports.http",
                got: "a port that Docker picks",
                wanted: "the port that the CA's challenge reaches, 80 unless something before it leads on to another",
                fix: "pulumi config set --path synapse:ports.http 80, or tls.challenge of type dns-01",
            },
        ];
    }
    const { key, host } = namedHost(given);
    if (!isCertificateName(host)) {
        return [
            {
                key,
                got: JSON.stringify(host),
                wanted: "a DNS name with at least one dot, or an address: in tls.mode acme a CA certifies it",
                fix: "pulumi config set synapse:publicHost <name>, or another tls.mode, such as local-ca",
            },
        ];
    }
    if (tls.challenge.type !== "dns-01" || !isAddress(host)) return [];
    return [
        {
            key,
            got: JSON.stringify(host),
            wanted: "a DNS name: no record in the DNS shows whose an address is",
            fix: "pulumi config set synapse:publicHost <name>, or tls.challenge of type http-01",
        },
    ];
}
