import { isIP } from "node:net";
import { z } from "zod";
import { behindProxy } from "./settings-schema/behind-proxy.ts";
import { federation } from "./settings-schema/federation.ts";
import { plainOptions, secretOptionsOnly } from "./settings-schema/homeserver-options.ts";
import { isHost, isServerName } from "./settings-schema/names.ts";
import { wellKnown } from "./settings-schema/well-known.ts";

export { OWNED_OPTIONS } from "./settings-schema/homeserver-options.ts";
export { isServerName };

/**
 * What may stand in a stack's configuration. The JSON Schema that editors use, the `config:` section of
 * Pulumi.yaml and the README's table are made from this file by `npm run schema`.
 */

/** One thing that is wrong with the settings, in the words that a person needs to mend it. */
export interface FieldFault {
    /** Setting, without the namespace: `ports.https`. */
    readonly key: string;
    readonly got: string;
    readonly wanted: string;
    readonly fix: string;
}

const SIZE = /^[1-9][0-9]{0,5}[KM]$/;

/** Why a text is no server name here. */
function serverNameWanted(text: unknown): string {
    if (typeof text !== "string") return "a Matrix server name, e.g. example.org";
    if (/:\d+$/.test(text) && isServerName(text.replace(/:\d+$/, ""))) {
        return "a server name without a port: a port would stand in every user's name for ever, and .well-known does what it is wanted for";
    }
    if (isServerName(text.toLowerCase())) return "the name in lower case: servers compare names byte by byte";
    return "a DNS name, an IPv4 address or an IPv6 address in brackets, e.g. example.org";
}

const host = (what: string) =>
    z.string({ error: () => `${what}, e.g. matrix.example.org` }).refine(isHost, {
        error: `${what}, in lower case and without a port, e.g. matrix.example.org`,
    });

/** `pulumi config set --path` stores digits as a number, an editor may have quoted them. */
const port = () =>
    z
        .preprocess(
            (value) => (typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value),
            z.int({ error: PORT }).min(1, { error: PORT }).max(65535, { error: PORT }),
        )
        .meta({ type: "integer" })
        .optional();
const PORT = "a whole number from 1 to 65535";

const portOrOff = () => z.union([port().unwrap(), z.literal("off")], { error: `${PORT}, or off` }).optional();

const absolutePath = () =>
    z
        .string({ error: ABSOLUTE })
        .regex(/^\/[^,"\s]*$/, { error: ABSOLUTE })
        .refine((path) => !path.split("/").includes(".."), { error: ABSOLUTE });
const ABSOLUTE = "an absolute path on the Docker host, without commas, quotes, spaces or ..";

const relativePath = () =>
    z
        .string({ error: RELATIVE })
        .regex(/^[^/,"\s][^,"\s]*$/, { error: RELATIVE })
        .refine((path) => !path.split("/").includes(".."), { error: RELATIVE });
const RELATIVE = "a path relative to tls.directory, without commas, quotes, spaces or ..";

const directory = () =>
    absolutePath()
        .default("/etc/letsencrypt")
        .describe("Directory on the Docker host that holds the certificates; mounted read-only.");

const profile = () =>
    z
        .enum(["intermediate", "modern"])
        .default("intermediate")
        .describe("Mozilla's TLS profile: `intermediate` is TLS 1.2 and 1.3, `modern` is 1.3 only.");

const http3 = () =>
    z
        .boolean({ error: "true or false" })
        .default(false)
        .describe("Whether nginx speaks HTTP/3 too, on the UDP port of `ports.https`.");

export const DIRECTORIES = {
    production: "https://acme-v02.api.letsencrypt.org/directory",
    staging: "https://acme-staging-v02.api.letsencrypt.org/directory",
} as const;

const text = (pattern: RegExp, wanted: string) =>
    z.string({ error: wanted }).regex(pattern, { error: wanted });

const challenge = z
    .discriminatedUnion(
        "type",
        [
            z
                .strictObject({ type: z.literal("http-01") })
                .describe("Through nginx: port 80 of `publicHost` leads here from the internet."),
            z
                .strictObject({
                    type: z.literal("dns-01"),
                    plugin: text(/^[a-z0-9]+(-[a-z0-9]+)*$/, PLUGIN()).describe(
                        "certbot's DNS plugin without `dns-`: `cloudflare`, `rfc2136`, …",
                    ),
                    credentials: text(/\S/, "the text of the plugin's credentials file").describe(
                        "Text of the plugin's credentials file. Secret: set it with `--secret`.",
                    ),
                    propagationSeconds: z
                        .int({ error: PROPAGATION() })
                        .min(0, { error: PROPAGATION() })
                        .max(3600, { error: PROPAGATION() })
                        .optional()
                        .describe("Seconds to wait for the DNS. The plugin's own default when left out."),
                })
                .describe("Through the DNS: for closed ports and wildcard names."),
        ],
        { error: "an object with `type`: http-01 or dns-01" },
    )
    .prefault({ type: "http-01" });
function PLUGIN(): string {
    return "the name of one of certbot's DNS plugins without dns-, e.g. cloudflare";
}
function PROPAGATION(): string {
    return "a whole number of seconds, at most 3600";
}

const certificateName = z
    .string({ error: CERTIFICATE_NAME() })
    .refine((name) => isCertificateName(name.replace(/^\*\.(?=.*[a-z])/, "")), { error: CERTIFICATE_NAME() });
function CERTIFICATE_NAME(): string {
    return "a DNS name in lower case with at least one dot, e.g. chat.example.org, or an address, IPv6 in brackets";
}

/** What a public CA certifies: a DNS name with a dot, or an address. */
export function isCertificateName(name: string): boolean {
    return isHost(name) && (isAddress(name) || name.includes("."));
}

/** Whether a host is an IPv4 address, or an IPv6 address in brackets. */
export function isAddress(host: string): boolean {
    return isIP(host.replace(/^\[(.*)\]$/, "$1")) !== 0;
}

const acme = z
    .strictObject({
        mode: z.literal("acme"),
        email: text(/^[^\s@,"'<>]+@[^\s@,"'<>]+\.[^\s@,"'<>]+$/, "an e-mail address")
            .optional()
            .describe(
                "Where the CA sends what it has to say about the account. Let's Encrypt keeps and sends nothing any more; some other CAs ask for it.",
            ),
        server: z
            .string({ error: ACME_SERVER() })
            .transform((server) =>
                server === "production" || server === "staging" ? DIRECTORIES[server] : server,
            )
            .refine((server) => /^https:\/\/[^\s@]+$/.test(server) && URL.canParse(server), {
                error: ACME_SERVER(),
            })
            .prefault("production")
            .describe("`production` or `staging` of Let's Encrypt, or another CA's directory URL."),
        caBundle: text(/-----BEGIN CERTIFICATE-----/, "certificates in PEM")
            .optional()
            .describe(
                "CAs of an ACME server that the world does not trust, PEM: the one that its own certificate is from, and the root that it issues from.",
            ),
        names: z
            .array(certificateName, { error: "a list of DNS names and addresses" })
            .default([])
            .describe("Further names in the certificate beside `publicHost`."),
        certificateProfile: text(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, PROFILE())
            .optional()
            .describe(
                "Kind of certificate, by the CA's name for it: Let's Encrypt has `classic`, `tlsserver` and `shortlived`. The CA's default when left out; with an address among the names `shortlived`, which Let's Encrypt insists on.",
            ),
        keyType: z.enum(["ecdsa", "rsa"]).default("ecdsa").describe("Kind of the certificate's key."),
        challenge: challenge.describe("How the CA sees that the names are yours."),
        externalAccount: z
            .strictObject({
                keyId: text(/^\S+$/, "the key id that the CA gave you").describe("Key id."),
                hmacKey: text(
                    /^[A-Za-z0-9_-]+=*$/,
                    "the MAC key that the CA gave you, in base64url",
                ).describe("MAC key in base64url. Secret: set it with `--secret`."),
            })
            .optional()
            .describe("External account binding, for CAs that ask for it."),
        expiryWarningDays: z
            .int({ error: WARNING_DAYS() })
            .min(1, { error: WARNING_DAYS() })
            .max(60, { error: WARNING_DAYS() })
            .default(21)
            .describe(
                "Days before its end at which a certificate that was not renewed makes certbot's container unhealthy; with less than a quarter of its lifetime left in any case.",
            ),
        profile: profile(),
        http3: http3(),
    })
    .superRefine(({ names, challenge: { type } }, context) => {
        for (const [index, name] of names.entries()) {
            const message =
                type === "http-01" && name.startsWith("*.")
                    ? "a name without *, or tls.challenge.type dns-01: CAs give wildcards for nothing else"
                    : type === "dns-01" && isAddress(name)
                      ? "a DNS name, or tls.challenge.type http-01: no record in the DNS shows whose an address is"
                      : undefined;
            if (message === undefined) continue;
            context.addIssue({ code: "custom", path: ["names", index], message, input: name });
        }
    })
    .describe("nginx with a certificate that the stack obtains and renews by ACME.");
function ACME_SERVER(): string {
    return "production, staging or the https URL of an ACME directory";
}
function PROFILE(): string {
    return "the name of one of the CA's certificate profiles, e.g. tlsserver";
}
function WARNING_DAYS(): string {
    return "a whole number of days from 1 to 60";
}

const tls = z
    .discriminatedUnion(
        "mode",
        [
            z
                .strictObject({ mode: z.literal("none") })
                .describe("Plain HTTP on 8008, for a first look on this machine alone."),
            z
                .strictObject({
                    mode: z.literal("synapse"),
                    directory: directory(),
                    certificate: relativePath()
                        .optional()
                        .describe(
                            "Certificate chain below `directory`; `live/<publicHost>/fullchain.pem` when left out.",
                        ),
                    privateKey: relativePath()
                        .optional()
                        .describe(
                            "Private key below `directory`; `live/<publicHost>/privkey.pem` when left out.",
                        ),
                })
                .describe("Synapse itself listens with TLS on 8448; no nginx."),
            z
                .strictObject({
                    mode: z.literal("letsencrypt"),
                    directory: directory(),
                    profile: profile(),
                    http3: http3(),
                })
                .describe("nginx with the certificates that certbot keeps on the Docker host."),
            acme,
            z
                .strictObject({ mode: z.literal("local-ca"), profile: profile(), http3: http3() })
                .describe("nginx with a certificate from a private CA that the stack makes for itself."),
            behindProxy,
        ],
        { error: "an object with `mode`: none, synapse, letsencrypt, acme, local-ca or proxy" },
    )
    .prefault({ mode: "letsencrypt" });

const address = z
    .string({ error: ADDRESS_WANTED() })
    .refine((text) => isIP(text) !== 0, { error: ADDRESS_WANTED() });
function ADDRESS_WANTED(): string {
    return "an IPv4 or IPv6 address of the Docker host, e.g. 127.0.0.1 or ::";
}
const addresses = () =>
    z
        .array(address, { error: "a list of addresses" })
        .min(1, { error: "at least one address" })
        .max(6, { error: "at most six addresses" })
        .refine((list) => new Set(list).size === list.length, { error: "each address once" });

const mebibytes = (fallback: number, least: number) =>
    z
        .int({ error: `a whole number of MiB, at least ${least}` })
        .min(least, { error: `a whole number of MiB, at least ${least}` })
        .default(fallback);

const HOLD = "a whole number of seconds from 0 to 60";
const START = "a whole number of seconds from 5 to 3600";

const image = () =>
    z
        .string({ error: "an image reference" })
        .regex(/^[a-z0-9][a-zA-Z0-9._\-/:@]*$/, { error: "an image reference, e.g. nginx:1.30.0" });

export const settingsSchema = z.strictObject({
    serverName: z
        .string({ error: (issue) => serverNameWanted(issue.input) })
        .refine(isServerName, { error: (issue) => serverNameWanted(issue.input) })
        .describe("Matrix server name: what follows the colon in `@alice:example.org`. Permanent."),
    publicHost: host("a host name")
        .optional()
        .describe(
            "Host name that clients and other servers connect to. `serverName` when left out; in mode `proxy` that of `tls.publicUrl`.",
        ),
    reportStats: z
        .boolean({ error: "true or false" })
        .default(false)
        .describe("Whether Synapse reports usage statistics to its makers."),
    tls: tls.describe("Who speaks TLS, and where the certificate comes from."),
    ports: z
        .strictObject({
            http: port().describe(
                "nginx, redirects to HTTPS; in mode `proxy` all that your proxy passes on.",
            ),
            https: port().describe("nginx, clients."),
            federation: port().describe("nginx, or Synapse in mode `synapse`: other servers."),
            synapse: portOrOff().describe("Synapse's plain HTTP listener; `off` publishes none."),
        })
        .superRefine(portsDiffer)
        .prefault({})
        .describe(
            "Ports on the Docker host. Left out: 80 (8080 in mode `proxy`), 443, 8448 and 8008; in a throw-away stack one that Docker picks.",
        ),
    listenAddresses: z
        .strictObject({
            public: addresses()
                .optional()
                .describe(
                    "Where nginx's ports, or Synapse's TLS port, are published. `[0.0.0.0]` when left out, and `[127.0.0.1]` in mode `proxy`.",
                ),
            synapse: addresses()
                .default(["127.0.0.1"])
                .describe("Where Synapse's plain HTTP port is published."),
        })
        .prefault({})
        .describe("Addresses of the Docker host that the ports are published on."),
    federation: federation.describe("How other Matrix servers reach this one."),
    wellKnown: wellKnown.describe("What `.well-known/matrix` says beside where the server is."),
    ipv6: z
        .boolean({ error: "true or false" })
        .default(false)
        .describe(
            "Whether the stack's network has IPv6, so that ports may be published there. Docker 27 or newer, or `ip6tables`.",
        ),
    ip6tables: z
        .boolean({ error: "true or false" })
        .default(false)
        .describe(
            "That a Docker engine before 27 runs with its option `ip6tables`: your word, since the engine does not tell.",
        ),
    maxUploadSize: z
        .string({ error: "a size such as 50M" })
        .regex(SIZE, { error: "a whole number with K or M, e.g. 50M" })
        .default("50M")
        .describe("Largest upload, for nginx and Synapse alike: a number with K (KiB) or M (MiB)."),
    holdSeconds: z
        .int({ error: HOLD })
        .min(0, { error: HOLD })
        .max(60, { error: HOLD })
        // As long as the most impatient of the widespread clients wait for an answer; a start without compiled files
        // takes Synapse some 17 of them.
        .default(30)
        .describe(
            "How long nginx holds requests while Synapse is away, instead of answering with an error. 0 holds none.",
        ),
    startSeconds: z
        .int({ error: START })
        .min(5, { error: START })
        .max(3600, { error: START })
        .default(180)
        .describe(
            "How long `pulumi up` waits for Synapse to answer before it fails; upgrades of the database come on top.",
        ),
    logLevel: z
        .enum(["DEBUG", "INFO", "WARNING", "ERROR"], { error: "one of DEBUG, INFO, WARNING, ERROR" })
        .default("INFO")
        .describe("Level of Synapse's log, which goes to the container's log."),
    extraConfig: plainOptions
        .default({})
        .describe("Any other option of homeserver.yaml, merged deeply over what the program renders."),
    secretConfig: secretOptionsOnly
        .default({})
        .describe(
            "Options of homeserver.yaml that are secret, merged deeply over `extraConfig`. Set them with `--secret`.",
        ),
    images: z
        .strictObject({
            synapse: image()
                .default("ghcr.io/element-hq/synapse:v1.163.2")
                .describe("Synapse, the official image."),
            nginx: image().default("nginx:1.30.0").describe("nginx, the official image."),
            certbot: image()
                .optional()
                .describe(
                    "certbot, the official image. `certbot/certbot:v5.6.0` when left out, or `certbot/dns-<plugin>:v5.6.0`.",
                ),
        })
        .prefault({})
        .describe("Container images."),
    memory: z
        .strictObject({
            synapse: mebibytes(4096, 256).describe("Synapse, MiB."),
            nginx: mebibytes(256, 64).describe("nginx, MiB."),
        })
        .prefault({})
        .describe("Memory limits of the containers; swap is not added on top."),
    ephemeral: z
        .boolean({ error: "true or false" })
        .default(false)
        .describe("Whether the stack is a throw-away: destroying it removes its data too."),
    name: z
        .string({ error: "a name for Docker objects" })
        .regex(/^[a-z0-9][a-z0-9_.-]{0,39}$/, {
            error: "up to 40 lower-case letters, digits and _ . -, beginning with a letter or digit",
        })
        .optional()
        .describe(
            "Prefix of every Docker object. `synapse` in the stack `prod`, `synapse-<stack>` elsewhere.",
        ),
    takeOver: z
        .array(
            z.string({ error: "a deployment's id" }).regex(/^[0-9a-f]{16}$/, {
                error: "a deployment's id, which the refusal names: 16 hexadecimal digits",
            }),
            { error: "a list of deployments' ids" },
        )
        .default([])
        .describe(
            "Ids of other deployments of the same name, from another backend or a state that is lost, whose containers " +
                "and networks this one may replace, and whose volumes it may adopt. The refusal to touch them names the id.",
        ),
    dockerHost: z
        .string({ error: "a Docker host" })
        .regex(/^(unix:\/\/\/\S+|tcp:\/\/[^\s@]+|ssh:\/\/[^\s:]+(:\d+)?)$/, {
            error: "unix:///path, tcp://host:port or ssh://user@host, without a password",
        })
        .optional()
        .describe("Docker engine to deploy to. `DOCKER_HOST` or the local engine when left out."),
});

function portsDiffer(
    ports: Readonly<Record<string, number | "off" | undefined>>,
    context: z.RefinementCtx,
): void {
    const uses = Object.entries(ports).filter(
        (entry): entry is [string, number] => typeof entry[1] === "number",
    );
    for (const [index, [use, number]] of uses.entries()) {
        const other = uses.slice(0, index).find(([, earlier]) => earlier === number);
        if (other === undefined) continue;
        const message = `a port of its own, and not that of ports.${other[0]}`;
        context.addIssue({ code: "custom", path: [use], message, input: number });
    }
}

/** The faults in zod's words, put into ours. */
export function faultsOf(error: z.ZodError): FieldFault[] {
    return error.issues.flatMap((issue): FieldFault[] => {
        if (issue.code === "unrecognized_keys") {
            return issue.keys.map((key) => unknownKey(keyOf([...issue.path, key]), issue.path.length === 0));
        }
        const key = keyOf(issue.path);
        const wanted = issue.message;
        const fix = "params" in issue ? String(issue.params?.fix) : undefined;
        return [
            {
                key,
                got: shown(issue.input, issue.path.at(-1)),
                wanted,
                fix: fix && fix !== "undefined" ? fix : command(key),
            },
        ];
    });
}

/** The notation of `pulumi config set --path`: `listenAddresses.public[0]`. */
function keyOf(path: readonly PropertyKey[]): string {
    return path
        .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
        .join("")
        .slice(1);
}

function unknownKey(key: string, topLevel: boolean): FieldFault {
    const near = topLevel ? nearest(key, Object.keys(settingsSchema.shape)) : undefined;
    return {
        key,
        // The value may be anything, so it is not repeated.
        got: "a setting that does not exist",
        wanted: near === undefined ? "a setting from the README's table" : `synapse:${near}, perhaps`,
        fix: `pulumi config rm ${topLevel ? "" : "--path "}synapse:${key}`,
    };
}

function nearest(key: string, known: readonly string[]): string | undefined {
    return known.find((name) => name.toLowerCase() === key.toLowerCase().replaceAll(/[-_]/g, ""));
}

/** Settings that are never repeated, wherever they stand; what is set with `--secret` is hidden as a whole. */
const SECRETS: ReadonlySet<PropertyKey | undefined> = new Set(["credentials", "hmacKey"]);

function shown(input: unknown, key: PropertyKey | undefined): string {
    if (input === undefined) return "nothing";
    const hide = (name: PropertyKey | undefined, value: unknown) => (SECRETS.has(name) ? "[secret]" : value);
    // A Docker host with a password is refused, and not repeated.
    return JSON.stringify(hide(key, input), hide).replace(/\/\/[^@"]*@/g, "//[hidden]@");
}

function command(key: string): string {
    return `pulumi config set ${/[.[]/.test(key) ? "--path " : ""}synapse:${key} <value>`;
}
