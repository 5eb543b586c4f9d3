import * as pulumi from "@pulumi/pulumi";
import * as addresses from "./addresses.ts";
import { certificates as certificatesFrom } from "./components/certificates/certificates.ts";
import { pulledImage } from "./components/docker/image.ts";
import { stackNetwork } from "./components/docker/network.ts";
import { stackOn } from "./components/docker/stack.ts";
import { NginxProxy } from "./components/nginx/proxy.ts";
import { NGINX_USER } from "./components/nginx/user.ts";
import { SynapseData } from "./components/synapse/data.ts";
import { Synapse } from "./components/synapse/server.ts";
import { SYNAPSE_USER } from "./components/synapse/user.ts";
import { Verification } from "./components/verification/verification.ts";
import { stackSettings } from "./settings.ts";

const settings = stackSettings();
const { serverName, publicHost, ephemeral, images, listenAddresses, maxUploadSize, memory, ports } = settings;
const prefix = settings.name;
const stack = stackOn({ ...settings, prefix });
const front = addresses.front(settings);
// Nobody looks at what Synapse announces unless nginx holds requests.
const holds = settings.holdSeconds > 0;
const providers = { docker: stack.provider };

const synapseImage = pulledImage("synapse-image", images.synapse, stack);
const nginxImage = front === "proxy" ? pulledImage("nginx-image", images.nginx, stack) : undefined;
const certbotImage =
    settings.tls.mode === "acme" ? pulledImage("certbot-image", images.certbot, stack) : undefined;
const network = stackNetwork("network", prefix, settings, stack);

const data = new SynapseData(
    "synapse-data",
    {
        prefix,
        image: synapseImage,
        imageReference: images.synapse,
        serverName,
        reportStats: settings.reportStats,
        proxied: front === "proxy",
        ephemeral,
        stack,
    },
    { providers },
);

const source = addresses.certificateSource(settings);
const certificates =
    source &&
    certificatesFrom(
        "certificates",
        {
            source,
            prefix,
            image: certbotImage ?? nginxImage ?? synapseImage,
            names: [publicHost, serverName],
            owner: nginxImage === undefined ? SYNAPSE_USER : NGINX_USER,
            ephemeral,
            stack,
        },
        { providers },
    );

const synapse = new Synapse(
    "synapse",
    {
        ...settings,
        prefix,
        image: synapseImage,
        dataVolume: data.volumeName,
        compiledVolume: data.compiledVolume,
        announceVolume: holds ? data.announceVolume : undefined,
        network,
        memory: memory.synapse,
        front,
        publicBaseUrl: `${addresses.clientBaseUrl(settings, addresses.clientPort(settings))}/`,
        port: ports.synapse,
        addresses: listenAddresses.synapse,
        ...(front === "tls" && certificates !== undefined
            ? {
                  certificatesVolume: certificates.certificatesVolume,
                  tlsListener: { port: ports.federation, addresses: listenAddresses.public },
              }
            : {}),
        stack,
    },
    {
        providers,
        dependsOn: [data, ...(front === "tls" && certificates !== undefined ? [certificates] : [])],
    },
);

const outer = addresses.outerProxy(settings);
const nginx =
    nginxImage !== undefined
        ? new NginxProxy(
              "nginx",
              {
                  prefix,
                  image: nginxImage,
                  network,
                  upstream: synapse.upstream,
                  announceVolume: holds ? data.announceVolume : undefined,
                  certificatesVolume: certificates?.certificatesVolume,
                  webrootVolume: certificates?.webrootVolume,
                  publicHost,
                  httpPort: ports.http,
                  httpsPort: outer?.port ?? ports.https,
                  trustedProxies: outer?.trusted,
                  federationPort: ports.federation,
                  federation: addresses.federationPlace(settings),
                  wellKnown: settings.wellKnown,
                  ipv6: settings.ipv6,
                  addresses: listenAddresses.public,
                  maxUploadSize,
                  holdSeconds: settings.holdSeconds,
                  profile: "profile" in settings.tls ? settings.tls.profile : "intermediate",
                  http3: "http3" in settings.tls && settings.tls.http3,
                  hsts: settings.tls.mode === "letsencrypt" || settings.tls.mode === "acme",
                  memory: memory.nginx,
                  stack,
              },
              { providers, dependsOn: certificates === undefined ? [] : [certificates] },
          )
        : undefined;

// Last: no certificate is asked for before the rest works.
const certbot =
    nginx &&
    certificates?.obtain?.(
        "certbot",
        { network, servedAt: nginx.address },
        { providers, dependsOn: [nginx, synapse] },
    );

if (certificates) certificates.renew?.("certificate-renewal", { dependsOn: [certificates] });

/** Published ports on the Docker host. */
export const publishedPorts = {
    synapse: ports.synapse === "off" ? undefined : synapse.httpPort,
    http: nginx?.httpPort,
    https: nginx?.httpsPort,
    federation: nginx?.federationPort ?? synapse.tlsPort,
};
const clientPort = outer?.port ?? nginx?.httpsPort ?? synapse.tlsPort ?? synapse.httpPort;
const federationPort = nginx?.federationPort ?? clientPort;
const federates = addresses.federationPlace(settings) !== "off";

const verification = new Verification(
    "verification",
    {
        expectations: pulumi
            .all([publishedPorts, data.verifyKey, certificates?.caCertificate])
            .apply(([published, verifyKey, ca]) =>
                addresses.expectations(settings, published, verifyKey, ca),
            ),
        outside: addresses.outside(settings),
        changes: [synapse.containerId, nginx?.version ?? "", ...(certbot ? [certbot.version] : [])],
        stack,
    },
    { dependsOn: [synapse, ...(nginx ? [nginx] : []), ...(certbot ? [certbot] : [])] },
);

/** Where clients connect. */
export const clientUrl = pulumi.output(clientPort).apply((port) => addresses.clientBaseUrl(settings, port));
/** Where other servers connect; null without federation. */
export const federationAddress = federates ? pulumi.interpolate`${publicHost}:${federationPort}` : null;
/** Public half of the signing key. The other half never leaves the data volume. */
export const verifyKey = data.verifyKey;
/** Synapse's container; the names of the others begin with it. */
export const containerName = prefix;
/** The Docker engine; null for that of `DOCKER_HOST`, or the local one. */
export const dockerHost = settings.dockerHost ?? null;
/** What clients must trust, with a private CA. */
export const caCertificate = certificates?.caCertificate ?? null;
/** DNS records that should exist. */
export const dnsRecords = addresses.dnsRecords(settings);
/** What the internet does not do for the server, and how that is mended; empty when all is well. */
export const warnings = verification.warnings;
/** Makes a user, on the Docker host; the first one should be an administrator. */
export const registerUser = `docker exec -it ${prefix} register_new_matrix_user -c /data/homeserver.yaml http://localhost:8008`;
