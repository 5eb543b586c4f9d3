import { isIP } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { federationPlace, front } from "./addresses.ts";
import { publicUrlParts } from "./settings-schema/behind-proxy.ts";
import { behindProxyFaults, firstLookFaults } from "./settings-schema/mode-faults.ts";
import {
    type FieldFault,
    faultsOf,
    isAddress,
    isCertificateName,
    settingsSchema,
} from "./settings-schema.ts";

/** The stack's settings: checked, with every default filled in. Nothing else reads the stack's configuration. */
export interface Settings
    extends Omit<
        z.output<typeof settingsSchema>,
        "name" | "ports" | "publicHost" | "images" | "listenAddresses"
    > {
    /** Prefix of every Docker object of this stack. */
    readonly name: string;
    /** Host name that clients and servers connect to. */
    readonly publicHost: string;
    readonly images: { readonly synapse: string; readonly nginx: string; readonly certbot: string };
    /** Ports on the Docker host. One that is undefined is picked by Docker (throw-away stacks only). */
    readonly ports: Ports;
    /** Addresses of the Docker host that ports are published on: Synapse's own, and all others. */
    readonly listenAddresses: { readonly public: readonly string[]; readonly synapse: readonly string[] };
}

/** Ports on the Docker host, 1 to 65535; undefined where Docker picks. */
export interface Ports {
    readonly http: number | undefined;
    readonly https: number | undefined;
    readonly federation: number | undefined;
    /** `off`: not published. */
    readonly synapse: number | "off" | undefined;
}

/** What a stack that is not a throw-away uses for a port that its settings leave out: the well-known ones. */
function standardPorts({ tls }: Pick<Settings, "tls">) {
    // On 80 is the proxy before it.
    const http = tls.mode === "proxy" ? 8080 : 80;
    return { http, https: 443, federation: 8448, synapse: 8008 };
}

/** The ports that a stack publishes. */
function published(settings: Pick<Settings, "federation" | "tls">): (keyof Ports)[] {
    switch (front(settings)) {
        case "none":
            return ["synapse"];
        case "tls":
            return ["federation", "synapse"];
        case "proxy":
            if (settings.tls.mode === "proxy") return ["http", "synapse"];
            return federationPlace(settings) === "apart"
                ? ["http", "https", "federation", "synapse"]
                : ["http", "https", "synapse"];
    }
}

/** Stacks of this name get the short prefix `synapse`. */
const PRODUCTION_STACKS = new Set(["prod", "production"]);

/**
 * Reads and checks the stack's configuration.
 *
 * @throws pulumi.RunError naming every fault at once: the key, what was given, what is wanted, what to do.
 */
export function readSettings(
    stack: string,
    config: Readonly<Record<string, string>>,
    isSecret: (key: string) => boolean,
): Settings {
    const raw: Record<string, unknown> = {};
    for (const [key, text] of Object.entries(config)) {
        // An empty text stands for "left out": Pulumi.yaml must give every optional key some default.
        if (text !== "") raw[key] = parsed(key, text);
    }
    const result = settingsSchema.safeParse(raw, { reportInput: true });
    const faults = result.success
        ? [
              ...standardPortFaults(result.data),
              ...acmeFaults(result.data),
              ...http3Faults(result.data),
              ...twiceFaults(result.data),
              ...federationFaults(result.data),
              ...behindProxyFaults(result.data, field(raw.federation, "port")),
              ...firstLookFaults(result.data),
              ...ipv6Faults(result.data),
              ...offFaults(result.data),
              ...noEffectFaults(result.data),
          ]
        : faultsOf(result.error);
    if (isSecret("extraConfig")) faults.push(SECRET_EXTRA_CONFIG);
    for (const { setting, key, wanted } of secretSettings(raw)) {
        if (isSecret(setting) || faults.some((fault) => fault.key === key)) continue;
        faults.push(inTheClear(key, wanted));
    }
    if (!result.success || faults.length > 0) {
        throw new pulumi.RunError(describe(faults, isSecret));
    }
    return complete(stack, result.data);
}

/** A secret in the settings, and the top-level setting that it stands in: Pulumi knows of no smaller part whether it is one. */
interface SecretSetting {
    readonly setting: string;
    readonly key: string;
    readonly wanted: string;
}

/** Which secrets a stack's settings hold. */
function secretSettings({ tls, secretConfig }: Readonly<Record<string, unknown>>): SecretSetting[] {
    const wanted = "a secret: Pulumi keeps it encrypted then, and previews show nothing of it";
    const inTls = ["challenge.credentials", "externalAccount.hmacKey"].filter((path) => {
        const value = path.split(".").reduce<unknown>((part, name) => field(part, name), tls);
        return typeof value === "string" && value !== "";
    });
    return [
        ...inTls.map((path) => ({ setting: "tls", key: `tls.${path}`, wanted })),
        ...Object.keys(isRecord(secretConfig) ? secretConfig : {}).map((option) => ({
            setting: "secretConfig",
            key: `secretConfig.${option}`,
            wanted,
        })),
    ];
}

/** The top-level settings that hold secrets, for an engine whose settings are all in the clear. */
export function settingsWithSecrets(config: Readonly<Record<string, string>>): string[] {
    const raw = Object.fromEntries(Object.entries(config).map(([key, text]) => [key, parsed(key, text)]));
    return [...new Set(secretSettings(raw).map(({ setting }) => setting))];
}

function inTheClear(key: string, wanted: string): FieldFault {
    return {
        key,
        got: "plain text",
        wanted,
        fix: `pulumi config set --secret --path synapse:${key}; and if anybody else could read the file, another secret`,
    };
}

function field(value: unknown, name: string): unknown {
    return isRecord(value) ? value[name] : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The settings of the stack that is being deployed. */
export function stackSettings(): Settings {
    const project = pulumi.getProject();
    // Pulumi exports isConfigSecret but strips it from its type declarations.
    const { isConfigSecret } = pulumi.runtime as unknown as { isConfigSecret: (key: string) => boolean };
    return readSettings(pulumi.getStack(), ownConfig(project, pulumi.runtime.allConfig()), (key) =>
        isConfigSecret(`${project}:${key}`),
    );
}

/** The configuration of the project's own namespace, by bare key. */
export function ownConfig(project: string, config: Readonly<Record<string, string>>): Record<string, string> {
    const own = Object.entries(config).filter(([key]) => key.startsWith(`${project}:`));
    return Object.fromEntries(own.map(([key, value]) => [key.slice(project.length + 1), value]));
}

function complete(stack: string, data: z.output<typeof settingsSchema>): Settings {
    const standard = data.ephemeral ? undefined : standardPorts(data);
    // Plain HTTP is for the proxy on this host, unless somebody says otherwise.
    const publicAddresses = data.tls.mode === "proxy" ? ["127.0.0.1"] : ["0.0.0.0"];
    return {
        ...data,
        name: data.name ?? (PRODUCTION_STACKS.has(stack) ? "synapse" : `synapse-${stack.toLowerCase()}`),
        publicHost: publicHostOf(data),
        images: { ...data.images, certbot: data.images.certbot ?? officialCertbot(data) },
        ports: {
            http: data.ports.http ?? standard?.http,
            https: data.ports.https ?? standard?.https,
            federation: data.ports.federation ?? standard?.federation,
            synapse: data.ports.synapse ?? standard?.synapse,
        },
        listenAddresses: {
            ...data.listenAddresses,
            public: data.listenAddresses.public ?? publicAddresses,
        },
    };
}

function publicHostOf({ publicHost, serverName, tls }: z.output<typeof settingsSchema>): string {
    const behind = tls.mode === "proxy" ? publicUrlParts(tls.publicUrl) : undefined;
    return behind?.host ?? publicHost ?? serverName;
}

/** Browsers are told the port in advance, so it cannot be one that Docker picks, and picks anew at each start. */
function http3Faults({ ephemeral, ports, tls }: z.output<typeof settingsSchema>): FieldFault[] {
    if (!("http3" in tls) || !tls.http3 || !ephemeral || ports.https !== undefined) return [];
    return [
        {
            key: "tls.http3",
            got: "true, with a port that Docker picks",
            wanted: "a port that is known in advance",
            fix: "pulumi config set --path synapse:ports.https <value>",
        },
    ];
}

/** A port that was given and is also the standard one of a port that was left out: the schema has not seen those. */
function standardPortFaults(settings: z.output<typeof settingsSchema>): FieldFault[] {
    const { ephemeral, ports } = settings;
    if (ephemeral) return [];
    const standard = standardPorts(settings);
    const leftOut = published(settings).filter((use) => ports[use] === undefined);
    return published(settings).flatMap((use) => {
        const other = leftOut.find((left) => standard[left] === ports[use]);
        if (other === undefined) return [];
        return {
            key: `ports.${use}`,
            got: String(ports[use]),
            wanted: `a port of its own, and not that of ports.${other}, which is the same when it is left out`,
            fix: `pulumi config set --path synapse:ports.${other} <value>, or another ports.${use}`,
        };
    });
}

/** Docker's proxy would pass all IPv6 clients on under one address. On `::1` there is but one client, the host. */
function ipv6Faults({ ipv6, listenAddresses }: z.output<typeof settingsSchema>): FieldFault[] {
    if (ipv6) return [];
    const published = (["public", "synapse"] as const).flatMap((use) =>
        (listenAddresses[use] ?? []).map((address, index) => ({
            address,
            key: `listenAddresses.${use}[${index}]`,
        })),
    );
    return published.flatMap(({ address, key }) =>
        isIP(address) === 4 || address === "::1"
            ? []
            : {
                  key,
                  got: JSON.stringify(address),
                  wanted: "an IPv4 address: without synapse:ipv6 all IPv6 clients have one address, and a few failed logins of one lock everybody out",
                  fix: "pulumi config set ipv6 true, with Docker 27 or newer; or publish IPv4 alone",
              },
    );
}

function offFaults(settings: z.output<typeof settingsSchema>): FieldFault[] {
    if (settings.ports.synapse !== "off" || front(settings) !== "none") return [];
    return [
        {
            key: "ports.synapse",
            got: '"off"',
            wanted: "a port: in tls.mode none there is no other",
            fix: "pulumi config rm --path synapse:ports.synapse, or another tls.mode",
        },
    ];
}

/** Settings of federation that say nothing, or the opposite of one another. */
function federationFaults(settings: z.output<typeof settingsSchema>): FieldFault[] {
    const { federation, ports, wellKnown } = settings;
    const place = federationPlace(settings);
    const fault = (
        key: string,
        got: string,
        wanted: string,
        fix = `pulumi config rm --path synapse:${key}`,
    ) => ({
        key,
        got,
        wanted,
        fix,
    });
    const off = "nothing: federation.enabled is false";
    return [
        ...(place === "off" && federation.allowList !== undefined
            ? [fault("federation.allowList", "a list of servers", off)]
            : []),
        ...(place === "off" && Object.keys(wellKnown.server).length > 0
            ? [fault("wellKnown.server", "an object", off)]
            : []),
        ...(front(settings) === "proxy" &&
        settings.tls.mode !== "proxy" &&
        place !== "apart" &&
        ports.federation !== undefined
            ? [
                  fault(
                      "ports.federation",
                      String(ports.federation),
                      place === "off" ? off : "nothing: federation.port is 443, which is ports.https",
                  ),
              ]
            : []),
        ...(front(settings) !== "proxy" && federation.enabled && federation.port === 443
            ? [
                  fault(
                      "federation.port",
                      "443",
                      `8448: in tls.mode ${settings.tls.mode} clients and servers share one port`,
                      settings.tls.mode === "none"
                          ? "pulumi config rm --path synapse:federation.port"
                          : "pulumi config rm --path synapse:federation.port; to publish it on 443, pulumi config set --path synapse:ports.federation 443",
                  ),
              ]
            : []),
    ];
}

/** What of homeserver.yaml has no effect behind nginx, which answers in Synapse's place, and why. */
const BEHIND_NGINX: Readonly<Record<string, string>> = {
    serve_server_wellknown: "leave it out: nginx serves the file; synapse:wellKnown.server adds to it",
    web_client_location: "leave it out: outside of /_matrix nginx answers by itself, with 404",
};

/** What would be taken without a word, and never have an effect. */
function noEffectFaults(settings: z.output<typeof settingsSchema>): FieldFault[] {
    const { extraConfig, secretConfig, wellKnown } = settings;
    if (front(settings) === "proxy") {
        return Object.entries(BEHIND_NGINX).flatMap(([option, fix]) =>
            Object.entries({ extraConfig, secretConfig })
                .filter(([, options]) => Object.hasOwn(options, option))
                .map(([setting]) => ({
                    key: `${setting}.${option}`,
                    got: "(a value)",
                    wanted: "nothing: behind nginx it has no effect",
                    fix,
                })),
        );
    }
    // Synapse serves the clients' file alone, and takes additions to it.
    const unserved = [
        ...(Object.keys(wellKnown.server).length > 0 ? ["wellKnown.server"] : []),
        ...(wellKnown.support === undefined ? [] : ["wellKnown.support"]),
    ];
    return unserved.map((key) => ({
        key,
        got: "an object",
        wanted: `nothing: in tls.mode ${settings.tls.mode} nobody serves it`,
        fix: `pulumi config rm --path synapse:${key}, or a tls.mode with nginx`,
    }));
}

/** A name that comes from another setting: the schema of `tls` has not seen it. */
function acmeFaults(settings: z.output<typeof settingsSchema>): FieldFault[] {
    const { ephemeral, ports, publicHost, serverName, tls } = settings;
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
    const host = publicHost ?? serverName;
    const key = publicHost === undefined ? "serverName" : "publicHost";
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

/** Each DNS plugin has an image of its own. */
function officialCertbot({ tls }: z.output<typeof settingsSchema>): string {
    const plugin = tls.mode === "acme" && tls.challenge.type === "dns-01" ? tls.challenge.plugin : undefined;
    return `certbot/${plugin === undefined ? "certbot" : `dns-${plugin}`}:v5.6.0`;
}

/** Pulumi hands every value over as text, with objects, numbers and booleans as JSON. */
function parsed(key: string, text: string): unknown {
    if (!Object.hasOwn(settingsSchema.shape, key)) return text;
    const field = settingsSchema.shape[key as keyof typeof settingsSchema.shape];
    if (typeof field.safeParse(text).data === "string") return text;
    try {
        return JSON.parse(text);
    } catch {
        return text;
    }
}

const SECRET_EXTRA_CONFIG: FieldFault = {
    key: "extraConfig",
    got: "a secret",
    wanted: "plain values: they are rendered into homeserver.yaml, which previews show",
    fix: "move what is secret to synapse:secretConfig, and set the rest without --secret",
};

/** One of two values would have no effect, unless both are blocks, which are merged. */
function twiceFaults({ extraConfig, secretConfig }: z.output<typeof settingsSchema>): FieldFault[] {
    return Object.keys(secretConfig)
        .filter((option) => Object.hasOwn(extraConfig, option))
        .filter((option) => !isRecord(extraConfig[option]) || !isRecord(secretConfig[option]))
        .map((option) => ({
            key: `extraConfig.${option}`,
            got: "an option that is in secretConfig, too",
            wanted: "the option in one of the two: only blocks are merged",
            fix: `pulumi config rm --path synapse:extraConfig.${option}`,
        }));
}

function describe(faults: readonly FieldFault[], isSecret: (key: string) => boolean): string {
    const lines = faults.map(({ key, got, wanted, fix }) => {
        const shown = isSecret(key.split(/[.[]/, 1)[0] ?? key) ? "[secret]" : got;
        return `  synapse:${key}\n    got:    ${shown}\n    wanted: ${wanted}\n    fix:    ${fix}`;
    });
    const count = faults.length === 1 ? "1 setting is wrong" : `${faults.length} settings are wrong`;
    return `${count}; nothing was touched.\n${lines.join("\n")}`;
}
